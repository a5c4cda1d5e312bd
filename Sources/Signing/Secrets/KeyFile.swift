import Kernel

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A key's file that could not be read or made; the description tells the operator what to do.
package struct FileFault: Error, Equatable, CustomStringConvertible {
    package enum Cause: Equatable, Sendable {
        case readableByOthers(mode: UInt32)
        case notAFile
        case system(operation: String, reason: String)
    }

    let path: String
    let cause: Cause

    package var description: String {
        switch cause {
        case .readableByOthers(let mode):
            "\(path) has mode \(String(mode, radix: 8)): others may read it. Make it private with chmod 600."
        case .notAFile: "\(path) is not a regular file."
        case .system(let operation, let reason): "\(path): can't \(operation): \(reason)"
        }
    }
}

/// Small files that hold keys: read whole, and made once by whoever comes first, for their owner's eyes only.
package enum KeyFile {
    /// The file's bytes, of which there may be `limit`; nil where there is no such file.
    ///
    /// - Parameter isPrivate: refuses what is no regular file, or one that others may read.
    package static func read(_ path: String, limit: Int, isPrivate: Bool = false) throws(FileFault) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 {
            if errno == ENOENT { return nil }
            throw fault(path, "open the file")
        }
        defer { close(file) }
        if isPrivate { try requirePrivate(file, path) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fill(file, &buffer)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw fault(path, "read the file") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            if bytes.count > limit { throw fault(path, "read more than \(limit) bytes", EFBIG) }
        }
    }

    /// The bytes of the file, which is made with those of `fresh` where there is none. Processes that come at once
    /// agree on the content of one of them.
    package static func readOrCreate(
        _ path: String, limit: Int, isPrivate: Bool = false, _ fresh: () -> [UInt8]
    ) throws(FileFault) -> [UInt8] {
        if let bytes = try read(path, limit: limit, isPrivate: isPrivate) { return bytes }
        try create(path, fresh())
        guard let bytes = try read(path, limit: limit, isPrivate: isPrivate) else {
            throw fault(path, "find the file that was just made", ENOENT)
        }
        return bytes
    }

    /// Writes a private file beside `path`, forces it to the disk and gives it its name unless that is taken by now.
    private static func create(_ path: String, _ bytes: [UInt8]) throws(FileFault) {
        let draft = "\(path).\(UInt64.random(in: .min ... .max)).draft"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0 { throw fault(path, "make the file") }
        defer { unlink(draft) }
        // Kept before the file is closed, which may set another number.
        let number = write(bytes, to: file) && fsync(file) == 0 ? 0 : errno
        close(file)
        if number != 0 { throw fault(path, "write the file", number) }
        // A link, unlike a rename, never replaces the key that another process may have made meanwhile.
        if link(draft, path) != 0, errno != EEXIST { throw fault(path, "name the file") }
        try syncFolder(of: path)
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Glibc)
                let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            #else
                let written = rest.withUnsafeBytes { Darwin.write(file, $0.baseAddress, $0.count) }
            #endif
            if written < 0, errno == EINTR { continue }
            if written <= 0 { return false }
            rest = rest.dropFirst(written)
        }
        return true
    }

    private static func fill(_ file: Int32, _ buffer: inout [UInt8]) -> Int {
        buffer.withUnsafeMutableBytes { buffer in
            #if canImport(Glibc)
                Glibc.read(file, buffer.baseAddress, buffer.count)
            #else
                Darwin.read(file, buffer.baseAddress, buffer.count)
            #endif
        }
    }

    private static func requirePrivate(_ file: Int32, _ path: String) throws(FileFault) {
        var status = stat()
        if fstat(file, &status) != 0 { throw fault(path, "examine the file") }
        if status.st_mode & S_IFMT != S_IFREG { throw FileFault(path: path, cause: .notAFile) }
        let mode = UInt32(status.st_mode) & 0o777
        if mode & 0o077 != 0 { throw FileFault(path: path, cause: .readableByOthers(mode: mode)) }
    }

    /// The new name itself is only safe from a power failure when its folder is on the disk too.
    private static func syncFolder(of path: String) throws(FileFault) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if file < 0 { throw fault(path, "open the folder \(folder)") }
        defer { close(file) }
        if fsync(file) != 0 { throw fault(path, "write the folder \(folder)") }
    }

    private static func fault(_ path: String, _ operation: String, _ number: Int32 = errno) -> FileFault {
        FileFault(path: path, cause: .system(operation: operation, reason: String(cString: strerror(number))))
    }
}
