import Kernel

extension MasterKey {
    /// More than any spelling of a key needs.
    private static let fileBytesMost = 1024

    /// Reads the key file, or makes it at first start: base64 text, readable by its owner only.
    ///
    /// Two processes that start at once end up with the same key. A key file that others can read is refused.
    package static func loadOrCreate(
        at path: String, secrets: SecretFactory = SecretFactory()
    ) throws(MasterKeyError) -> MasterKey {
        let contents: [UInt8]
        do {
            contents = try KeyFile.readOrCreate(path, limit: fileBytesMost, isPrivate: true) {
                Array((Base64.encode(secrets.bytes(byteCount)) + "\n").utf8)
            }
        } catch { throw MasterKeyError(source: path, fault: .file(error.cause)) }
        return try MasterKey(contents: contents, acceptingRaw: true, source: path)
    }

    /// Reads the key file; nil when there is none.
    package static func load(at path: String) throws(MasterKeyError) -> MasterKey? {
        let contents: [UInt8]?
        do { contents = try KeyFile.read(path, limit: fileBytesMost, isPrivate: true) } catch {
            throw MasterKeyError(source: path, fault: .file(error.cause))
        }
        guard let contents else { return nil }
        return try MasterKey(contents: contents, acceptingRaw: true, source: path)
    }
}
