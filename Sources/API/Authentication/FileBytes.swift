import Kernel

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that could not be read or made, in the system's words.
package struct FileFault: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ path: String, _ what: StaticString, number: Int32 = errno) {
        description = "\(path): \(what): \(String(cString: strerror(number)))"
    }
}

/// Small whole files: key sets and keys.
enum FileBytes {
    /// Reads a file of at most `limit` bytes.
    static func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(path, "cannot be opened") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = fill(descriptor, &chunk)
            if count < 0 { throw FileFault(path, "cannot be read") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > limit { throw FileFault(path, "is too large", number: EFBIG) }
        }
    }

    /// Reads a file, or makes it with these bytes, readable by its owner only. Two processes that come at once agree
    /// on the content of one of them: a whole file is linked into place, and the second link fails.
    static func readOrCreate(_ path: String, limit: Int, _ bytes: [UInt8]) throws(FileFault) -> [UInt8] {
        if access(path, F_OK) == 0 { return try read(path, limit: limit) }
        let draft = "\(path).\(UInt64.random(in: .min ... .max)).draft"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFault(draft, "cannot be made") }
        defer { unlink(draft) }
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let isOnDisk = written == bytes.count && fsync(descriptor) == 0
        let number = errno
        close(descriptor)
        guard isOnDisk else { throw FileFault(draft, "cannot be written", number: number) }
        if link(draft, path) == 0 { return bytes }
        guard errno == EEXIST else { throw FileFault(path, "cannot be made") }
        return try read(path, limit: limit)
    }

    private static func fill(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int {
        chunk.withUnsafeMutableBytes { buffer in
            #if canImport(Glibc)
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
    }
}
