/// Makes plain text of what shops write as HTML: markup goes, its line breaks stay, entities become characters.
///
/// What comes out never has the form of markup itself, however it was hidden: readers may put it into a page.
package enum PlainText {
    /// Several lines, blank ones left out.
    package static func text(_ source: String) -> String { clean(source, isOneLine: false) }

    /// One line.
    package static func line(_ source: String) -> String { clean(source, isOneLine: true) }

    private static func clean(_ source: String, isOneLine: Bool) -> String {
        if isPlain(source) { return source }
        var bytes = Array(source.utf8)
        // Entities can spell markup, and markup can be written around markup; each round takes off one layer.
        for _ in 0..<4 where needsStripping(bytes) {
            var stripper = MarkupStripper(bytes)
            bytes = stripper.stripped()
        }
        // Whoever nests deeper than that does not describe a product.
        if MarkupStripper.hasTag(bytes) { bytes.removeAll { $0 == UInt8(ascii: "<") } }
        return tidied(bytes, isOneLine: isOneLine)
    }

    /// Whether nothing is to be done, as with nearly all titles: printable ASCII with single spaces inside.
    private static func isPlain(_ source: String) -> Bool {
        var before: UInt8 = 0x20
        for byte in source.utf8 {
            guard (0x20..<0x7F).contains(byte), byte != UInt8(ascii: "<"), byte != UInt8(ascii: "&"),
                byte != 0x20 || before != 0x20
            else { return false }
            before = byte
        }
        return before != 0x20
    }

    private static func needsStripping(_ bytes: [UInt8]) -> Bool {
        bytes.contains(UInt8(ascii: "&")) || MarkupStripper.hasTag(bytes)
    }

    /// Takes out control characters and those that turn the direction of writing, and white space that says nothing.
    private static func tidied(_ bytes: [UInt8], isOneLine: Bool) -> String {
        var out = String.UnicodeScalarView()
        var pending: Unicode.Scalar?
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x0A, 0x0D, 0x0B, 0x0C, 0x85, 0x2028, 0x2029: pending = isOneLine ? (pending ?? " ") : "\n"
            case 0x09, 0x20, 0xA0: pending = pending ?? " "
            case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x200B, 0x202A...0x202E, 0x2060, 0x2066...0x2069, 0xFEFF, 0xFFF9...0xFFFB:
                continue
            case let value where value & 0xFFFE == 0xFFFE: continue
            default:
                if let white = pending, !out.isEmpty { out.append(white) }
                pending = nil
                out.append(scalar)
            }
        }
        return String(out)
    }
}

/// Takes one layer of markup off a text.
struct MarkupStripper {
    private let bytes: [UInt8]
    private var at = 0
    private var out: [UInt8] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        out.reserveCapacity(bytes.count)
    }

    /// Whether a `<` stands there that a browser would read as markup.
    static func hasTag(_ bytes: [UInt8]) -> Bool {
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "<") {
            if index + 1 < bytes.count, opensTag(bytes[index + 1]) { return true }
        }
        return false
    }

    private static func opensTag(_ byte: UInt8) -> Bool {
        (97...122).contains(byte | 0x20) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "!")
            || byte == UInt8(ascii: "?")
    }

    mutating func stripped() -> [UInt8] {
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "<"), at + 1 < bytes.count, Self.opensTag(bytes[at + 1]) {
                skipTag()
            } else if byte == UInt8(ascii: "&") {
                takeEntity()
            } else {
                out.append(byte)
                at += 1
            }
        }
        return out
    }

    private mutating func skipTag() {
        if bytes[at...].starts(with: "<!--".utf8) { return skip(past: "-->") }
        at += 1
        let isClosing = at < bytes.count && bytes[at] == UInt8(ascii: "/")
        if isClosing { at += 1 }
        var name: [UInt8] = []
        while at < bytes.count, (97...122).contains(bytes[at] | 0x20) || (48...57).contains(bytes[at]) {
            name.append(bytes[at] | 0x20)
            at += 1
        }
        var quote: UInt8?
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                break
            }
        }
        let tag = String(decoding: name, as: UTF8.self)
        if Self.breaking.contains(tag) { out.append(0x0A) } else if Self.spacing.contains(tag) { out.append(0x20) }
        // What stands in these is no text of the product's.
        if !isClosing, Self.silent.contains(tag) { skip(past: "</\(tag)") }
    }

    /// Goes behind the next place where the text stands, in either case; to the end where it stands nowhere.
    private mutating func skip(past text: String) {
        let wanted = Array(text.utf8)
        while at + wanted.count <= bytes.count {
            let isThere = wanted.indices.allSatisfy { index in
                let byte = bytes[at + index]
                return byte == wanted[index] || (65...90).contains(byte) && byte | 0x20 == wanted[index]
            }
            at += 1
            guard isThere else { continue }
            at += wanted.count - 1
            if wanted.last == UInt8(ascii: ">") { return }
            while at < bytes.count, bytes[at] != UInt8(ascii: ">") { at += 1 }
            at = min(at + 1, bytes.count)
            return
        }
        at = bytes.count
    }

    private mutating func takeEntity() {
        let window = bytes[(at + 1)..<min(at + 12, bytes.count)]
        guard let end = window.firstIndex(of: UInt8(ascii: ";")),
            let scalar = Self.scalar(String(decoding: bytes[(at + 1)..<end], as: UTF8.self))
        else {
            out.append(bytes[at])
            at += 1
            return
        }
        out.append(contentsOf: String(Character(scalar)).utf8)
        at = end + 1
    }

    private static func scalar(_ entity: String) -> Unicode.Scalar? {
        guard entity.hasPrefix("#") else { return named[entity].flatMap { Unicode.Scalar($0) } }
        let digits = entity.dropFirst()
        let isHex = digits.hasPrefix("x") || digits.hasPrefix("X")
        let value = isHex ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        // A NUL can be stored nowhere.
        return value.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
    }

    private static let breaking: Set<String> = [
        "p", "br", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article",
        "blockquote", "hr", "dt", "dd", "pre", "figure", "header", "footer",
    ]
    private static let spacing: Set<String> = ["td", "th", "img", "option"]
    private static let silent: Set<String> = [
        "script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head", "title", "textarea",
        "select",
    ]
    /// The named entities of HTML 4 that shops' editors write.
    private static let named: [String: UInt32] = [
        "amp": 0x26, "lt": 0x3C, "gt": 0x3E, "quot": 0x22, "apos": 0x27, "nbsp": 0xA0, "iexcl": 0xA1, "cent": 0xA2,
        "pound": 0xA3, "yen": 0xA5, "sect": 0xA7, "copy": 0xA9, "laquo": 0xAB, "shy": 0xAD, "reg": 0xAE, "deg": 0xB0,
        "plusmn": 0xB1, "sup2": 0xB2, "sup3": 0xB3, "micro": 0xB5, "para": 0xB6, "middot": 0xB7, "raquo": 0xBB,
        "frac14": 0xBC, "frac12": 0xBD, "frac34": 0xBE, "iquest": 0xBF, "times": 0xD7, "divide": 0xF7,
        "Agrave": 0xC0, "Aacute": 0xC1, "Acirc": 0xC2, "Auml": 0xC4, "Aring": 0xC5, "AElig": 0xC6, "Ccedil": 0xC7,
        "Egrave": 0xC8, "Eacute": 0xC9, "Ecirc": 0xCA, "Euml": 0xCB, "Iacute": 0xCD, "Ntilde": 0xD1, "Oacute": 0xD3,
        "Ocirc": 0xD4, "Ouml": 0xD6, "Oslash": 0xD8, "Uacute": 0xDA, "Uuml": 0xDC, "szlig": 0xDF, "agrave": 0xE0,
        "aacute": 0xE1, "acirc": 0xE2, "atilde": 0xE3, "auml": 0xE4, "aring": 0xE5, "aelig": 0xE6, "ccedil": 0xE7,
        "egrave": 0xE8, "eacute": 0xE9, "ecirc": 0xEA, "euml": 0xEB, "igrave": 0xEC, "iacute": 0xED, "icirc": 0xEE,
        "iuml": 0xEF, "ntilde": 0xF1, "ograve": 0xF2, "oacute": 0xF3, "ocirc": 0xF4, "otilde": 0xF5, "ouml": 0xF6,
        "oslash": 0xF8, "ugrave": 0xF9, "uacute": 0xFA, "ucirc": 0xFB, "uuml": 0xFC, "yuml": 0xFF, "OElig": 0x152,
        "oelig": 0x153, "ndash": 0x2013, "mdash": 0x2014, "lsquo": 0x2018, "rsquo": 0x2019, "sbquo": 0x201A,
        "ldquo": 0x201C, "rdquo": 0x201D, "bdquo": 0x201E, "bull": 0x2022, "hellip": 0x2026, "prime": 0x2032,
        "Prime": 0x2033, "euro": 0x20AC, "trade": 0x2122, "larr": 0x2190, "rarr": 0x2192, "check": 0x2713,
    ]
}
