import Kernel

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension MasterKey {
    /// Reads the key file, or makes it at first start: base64 text, readable by its owner only.
    ///
    /// Two processes that start at once end up with the same key. A key file that others can read is refused.
    package static func loadOrCreate(
        at path: String, secrets: SecretFactory = SecretFactory()
    ) throws(MasterKeyError) -> MasterKey {
        if let key = try load(at: path) { return key }
        let text = Base64.encode(secrets.bytes(byteCount)) + "\n"
        try create(at: path, text: text, suffix: secrets.plainText(characters: 12))
        guard let key = try load(at: path) else { throw failure(path, "find the key file just made", ENOENT) }
        return key
    }

    /// Reads the key file; nil when there is none.
    package static func load(at path: String) throws(MasterKeyError) -> MasterKey? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 {
            if errno == ENOENT { return nil }
            throw failure(path, "open the key file", errno)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(path, "examine the key file", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw MasterKeyError(source: path, fault: .notAFile) }
        let mode = UInt32(status.st_mode) & 0o777
        guard mode & 0o077 == 0 else { throw MasterKeyError(source: path, fault: .readableByOthers(mode: mode)) }
        return try MasterKey(contents: contents(of: file, path), acceptingRaw: true, source: path)
    }

    /// Writes a private file beside `path`, forces it to the disk and gives it its name unless that is taken by now.
    private static func create(at path: String, text: String, suffix: String) throws(MasterKeyError) {
        let draft = "\(path).\(suffix)"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0 { throw failure(path, "make the key file", errno) }
        defer { unlink(draft) }
        let outcome: Result<Void, MasterKeyError>
        do throws(MasterKeyError) {
            try write(Array(text.utf8), to: file, path)
            outcome = fsync(file) == 0 ? .success(()) : .failure(failure(path, "write the key file", errno))
        } catch {
            outcome = .failure(error)
        }
        close(file)
        try outcome.get()
        // A link, unlike a rename, never replaces the key that another process may have made meanwhile.
        if link(draft, path) != 0, errno != EEXIST { throw failure(path, "name the key file", errno) }
        try syncFolder(of: path)
    }

    private static func write(_ bytes: [UInt8], to file: Int32, _ path: String) throws(MasterKeyError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Glibc)
                let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            #else
                let written = rest.withUnsafeBytes { Darwin.write(file, $0.baseAddress, $0.count) }
            #endif
            if written < 0, errno == EINTR { continue }
            if written <= 0 { throw failure(path, "write the key file", errno) }
            rest = rest.dropFirst(written)
        }
    }

    /// The file's bytes, as far as a key could reach.
    private static func contents(of file: Int32, _ path: String) throws(MasterKeyError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256)
        while bytes.count < 1024 {
            let count = read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw failure(path, "read the key file", errno) }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes
    }

    /// The new name itself is only safe from a power failure when its folder is on the disk too.
    private static func syncFolder(of path: String) throws(MasterKeyError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if file < 0 { throw failure(path, "open the folder \(folder)", errno) }
        defer { close(file) }
        if fsync(file) != 0 { throw failure(path, "write the folder \(folder)", errno) }
    }

    private static func failure(_ path: String, _ operation: String, _ code: Int32) -> MasterKeyError {
        MasterKeyError(source: path, fault: .system(operation: operation, reason: String(cString: strerror(code))))
    }
}
