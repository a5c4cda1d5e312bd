import ArgumentParser
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that is read or written piece by piece.
struct StreamedFile {
    struct Failed: Error, CustomStringConvertible {
        let path: String
        let cause: Errno

        var description: String { "\(path): \(cause)" }
    }

    private let descriptor: FileDescriptor
    private let path: String

    static let standardError = StreamedFile(descriptor: .standardError, path: "standard error")

    private init(descriptor: FileDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// - Parameter path: `-` is standard input.
    init(reading path: String) throws {
        self.path = path
        descriptor =
            path == "-"
            ? .standardInput
            : try Self.naming(path) { try .open(FilePath(path), .readOnly, options: .closeOnExec) }
    }

    /// - Parameter path: `-` is standard output.
    init(writing path: String) throws {
        self.path = path
        descriptor =
            path == "-"
            ? .standardOutput
            : try Self.naming(path) {
                try .open(
                    FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
                    permissions: .ownerReadWrite)
            }
    }

    /// Its length where it has one.
    var size: Int? {
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// The next bytes; none at the end.
    func read(upTo count: Int) throws -> [UInt8] {
        try Self.naming(path) {
            try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                filled = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }

    /// A whole file, refused where it is longer than what it can be for.
    static func contents(of path: String, upTo most: Int) throws -> [UInt8] {
        let input = try StreamedFile(reading: path)
        defer { input.endReading() }
        var bytes: [UInt8] = []
        while true {
            let piece = try input.read(upTo: 64 << 10)
            if piece.isEmpty { return bytes }
            bytes += piece
            if bytes.count > most { throw ValidationError("\(path) has more than \(most) bytes") }
        }
    }

    func write(_ bytes: [UInt8]) throws { _ = try Self.naming(path) { try descriptor.writeAll(bytes) } }

    /// Closes a file that was written, which is when some disks first say that it can't be.
    func finish() throws {
        if descriptor != .standardOutput { try Self.naming(path) { try descriptor.close() } }
    }

    /// Closes a file that was only read, which can't fail in a way that matters.
    func endReading() {
        if descriptor != .standardInput { _ = close(descriptor.rawValue) }
    }

    /// The system's errors don't say which file they are about.
    private static func naming<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let cause as Errno { throw Failed(path: path, cause: cause) }
    }
}
