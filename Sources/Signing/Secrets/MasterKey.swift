import Crypto
import Kernel

/// The 32 bytes under which every stored secret is sealed. Whoever has them and the database has the secrets.
package struct MasterKey: Sendable, CustomStringConvertible, CustomReflectable {
    package static let byteCount = 32
    static let idCount = 4

    /// The first bytes of the key's SHA-256: names the key in sealed values and logs without telling it.
    package let id: [UInt8]
    let symmetric: SymmetricKey

    package var description: String { "master key \(hexText(id))" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Nil unless there are exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        id = Array(ContentDigest.sha256(bytes).prefix(Self.idCount))
        symmetric = SymmetricKey(data: bytes)
    }

    /// Reads the base64 text of 32 bytes, as `openssl rand -base64 32` prints it. `source` names the setting in errors.
    package init(text: Secret, source: String) throws(MasterKeyError) {
        try self.init(contents: text.reveal(for: "reading the master key"), acceptingRaw: false, source: source)
    }

    /// Reads a key file's contents: 32 raw bytes, or base64 text with or without a line end.
    init(contents: [UInt8], acceptingRaw: Bool, source: String) throws(MasterKeyError) {
        if acceptingRaw, let key = MasterKey(contents) {
            self = key
            return
        }
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        var text = contents[...].drop { blanks.contains($0) }
        while let last = text.last, blanks.contains(last) { text.removeLast() }
        guard let bytes = Base64.decode(bytes: text), let key = MasterKey(bytes) else {
            throw MasterKeyError(source: source, fault: .notAKey(contents.count))
        }
        self = key
    }
}

/// Why there is no master key to start with; the description tells the operator what to do.
package struct MasterKeyError: Error, Equatable, CustomStringConvertible {
    package enum Fault: Equatable, Sendable {
        /// How many bytes were found instead.
        case notAKey(Int)
        case file(FileFault.Cause)
    }

    /// The path or setting that the key was to come from.
    package let source: String
    package let fault: Fault

    package var description: String {
        switch fault {
        case .notAKey(let count):
            "\(source) holds \(count) bytes that are no master key: it must be 32 bytes, or their base64 text."
        case .file(let cause): FileFault(path: source, cause: cause).description
        }
    }
}
