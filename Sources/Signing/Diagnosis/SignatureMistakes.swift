import Kernel

/// The usual ways in which a body or a secret changes between a sender and a receiver, to be tried one by one.
enum SignatureMistakes {
    /// Something that may have been signed, or signed with, in place of what is at hand; nil where it is that itself.
    struct Variant {
        let bytes: [UInt8]
        let told: String?
    }

    static func bodies(_ body: [UInt8]) -> [Variant] {
        var variants = [Variant(bytes: body, told: nil)]
        func add(_ bytes: [UInt8], _ told: String) {
            if bytes != body { variants.append(Variant(bytes: bytes, told: told)) }
        }
        var bare = body[...]
        while let last = bare.last, last == 10 || last == 13 { bare.removeLast() }
        add(
            Array(bare),
            "The body ends with a line end that was not signed: editors and echo add one (printf %s does not).")
        add(body + [10], "The signed body ends with a line end, and this one does not.")
        if body.starts(with: [0xEF, 0xBB, 0xBF]) {
            add(Array(body.dropFirst(3)), "The body begins with a byte order mark that was not signed.")
        }
        let unix = withUnixLines(body)
        add(unix, "The body's line ends were changed from LF to CRLF.")
        add(unix.flatMap { $0 == 10 ? [13, 10] : [$0] }, "The body's line ends were changed from CRLF to LF.")
        if let json = try? JSONValue(parsing: body) {
            add(
                JSONWriter.bytes(of: json),
                "The body was read as JSON and written anew: check the bytes as they came, before they are parsed.")
        }
        return variants
    }

    /// Secrets in place of one whose text is the key.
    static func textKeys(_ secret: [UInt8]) -> [Variant] {
        var variants = [Variant(bytes: secret, told: nil)]
        let (text, bare) = (trimmed(secret), withoutPrefix(trimmed(secret)))
        if text != secret { variants.append(Variant(bytes: text, told: blanks)) }
        if bare == text {
            variants.append(
                Variant(
                    bytes: Array(SigningKey.prefix.utf8) + text,
                    told: "The secret lacks its beginning whsec_, which belongs to this header's key."))
        } else {
            variants.append(
                Variant(
                    bytes: bare,
                    told: "It was made without the secret's beginning whsec_, which belongs to this header's key."))
        }
        if let key = Base64.decode(bytes: bare[...]), !key.isEmpty {
            variants.append(
                Variant(
                    bytes: key,
                    told: "It was made with the bytes that the secret's base64 stands for; the key of this header is "
                        + "the secret's text."))
        }
        return variants
    }

    /// Secrets in place of one whose base64 stands for the key.
    static func decodedKeys(_ secret: [UInt8]) -> [Variant] {
        let (text, bare) = (trimmed(secret), withoutPrefix(trimmed(secret)))
        var variants: [Variant] = []
        if let key = Base64.decode(bytes: bare[...]), !key.isEmpty {
            variants.append(Variant(bytes: key, told: text == secret ? nil : blanks))
            let told =
                "It was made with the secret's text; the key of webhook-signature is the bytes that its base64 stands "
                + "for."
            variants.append(Variant(bytes: text, told: told))
            variants.append(Variant(bytes: bare, told: told))
        } else {
            variants.append(Variant(bytes: secret, told: nil))
            if text != secret { variants.append(Variant(bytes: text, told: blanks)) }
            if let key = lenientlyDecoded(bare) {
                variants.append(
                    Variant(bytes: key, told: "The secret's base64 is cut off or in the form for URLs: copy it anew."))
            }
        }
        return variants
    }

    /// What makes a code right: nothing (an empty list), the mistakes that would, or nil where none of them does.
    static func explanation(
        bodies: [Variant], keys: [Variant], prefix: [UInt8] = [], matches: (HMACSHA256.Code) -> Bool
    ) -> [String]? {
        for body in bodies {
            for key in keys {
                let code = HMACSHA256.code(key: HMACSHA256.Key(key.bytes), over: prefix, body.bytes)
                if matches(code) { return [body.told, key.told].compactMap { $0 } }
            }
        }
        return nil
    }

    private static let blanks = "The secret has white space around it, which is no part of it."

    static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        let blanks: Set<UInt8> = [9, 10, 13, 32]
        var rest = bytes[...].drop { blanks.contains($0) }
        while let last = rest.last, blanks.contains(last) { rest.removeLast() }
        return Array(rest)
    }

    private static func withoutPrefix(_ text: [UInt8]) -> [UInt8] {
        text.starts(with: SigningKey.prefix.utf8) ? Array(text.dropFirst(SigningKey.prefix.utf8.count)) : text
    }

    private static func withUnixLines(_ body: [UInt8]) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(body.count)
        for byte in body {
            if byte == 10, lines.last == 13 { lines.removeLast() }
            lines.append(byte)
        }
        return lines
    }

    /// Base64 in either alphabet, padded or not; nil for what is none.
    static func lenientlyDecoded(_ text: [UInt8]) -> [UInt8]? {
        let digits = text.filter { $0 != UInt8(ascii: "=") }.map { byte in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: byte
            }
        }
        return digits.isEmpty ? nil : Base64.decode(bytes: digits[...], .url)
    }
}
