#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that is read or written piece by piece.
struct FileBytes {
    struct Failed: Error, CustomStringConvertible {
        let description: String

        init(_ path: String) { description = "\(path): \(String(cString: strerror(errno)))" }
    }

    private let descriptor: Int32
    private let path: String

    static let standardError = FileBytes(descriptor: STDERR_FILENO, path: "standard error")

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// - Parameter path: `-` is standard input.
    init(reading path: String) throws {
        self.path = path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw Failed(path) }
    }

    /// - Parameter path: `-` is standard output.
    init(writing path: String) throws {
        self.path = path
        descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw Failed(path) }
    }

    /// Its length where it has one.
    var size: Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// The next bytes; none at the end.
    func read(upTo count: Int) throws -> [UInt8] {
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            repeat {
                #if canImport(Glibc)
                    result = Glibc.read(descriptor, buffer.baseAddress, count)
                #else
                    result = Darwin.read(descriptor, buffer.baseAddress, count)
                #endif
            } while result < 0 && errno == EINTR
            filled = max(0, result)
        }
        if result < 0 { throw Failed(path) }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws {
        var at = 0
        while at < bytes.count {
            let count = bytes[at...].withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress, buffer.count)
                #else
                    Darwin.write(descriptor, buffer.baseAddress, buffer.count)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failed(path)
            }
            at += count
        }
    }

    /// Closes a file that was written, which is when some disks first say that it can't be.
    func finish() throws {
        if descriptor != STDOUT_FILENO, close(descriptor) != 0 { throw Failed(path) }
    }

    /// Closes a file that was only read, which can't fail in a way that matters.
    func endReading() { if descriptor != STDIN_FILENO { _ = close(descriptor) } }
}
