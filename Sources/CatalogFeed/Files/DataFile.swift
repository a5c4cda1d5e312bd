#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An open file that is only ever appended to, so that whoever knows a place in it can read there at any time. Closed
/// when nobody holds it any more; its name may be gone long before.
package final class DataFile: Sendable {
    private let path: String
    private let descriptor: Int32

    private init(_ path: String, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    static func open(_ path: String, toAppend: Bool = false) throws(FeedFileFault) -> DataFile {
        let mode = toAppend ? O_RDWR | O_APPEND : O_RDONLY
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, mode | O_CLOEXEC)
        #else
            let descriptor = Darwin.open(path, mode | O_CLOEXEC)
        #endif
        if descriptor < 0 { throw FeedFileFault(path, "can't be opened") }
        return DataFile(path, descriptor)
    }

    /// Makes a file that was not there, for reading and appending, private to its owner.
    static func make(_ path: String) throws(FeedFileFault) -> DataFile {
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        #else
            let descriptor = Darwin.open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        #endif
        if descriptor < 0 { throw FeedFileFault(path, "can't be made") }
        return DataFile(path, descriptor)
    }

    func count() throws(FeedFileFault) -> Int {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw FeedFileFault(path, "can't be examined") }
        return Int(status.st_size)
    }

    /// Exactly that many bytes from a place in the file; fewer are a fault.
    package func read(at offset: Int, count: Int) throws(FeedFileFault) -> [UInt8] {
        var filled = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { out, initialised in
            while filled < count {
                guard let base = out.baseAddress else { break }
                let got = pread(descriptor, base + filled, count - filled, off_t(offset + filled))
                if got < 0, errno == EINTR { continue }
                if got <= 0 { break }
                filled += got
            }
            initialised = filled
        }
        if filled < count { throw FeedFileFault(path, "is shorter than its manifest says", number: EIO) }
        return bytes
    }

    func append(_ bytes: [UInt8]) throws(FeedFileFault) {
        var at = 0
        while at < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress.map { $0 + at }, buffer.count - at)
                #else
                    Darwin.write(descriptor, buffer.baseAddress.map { $0 + at }, buffer.count - at)
                #endif
            }
            if written < 0, errno == EINTR { continue }
            if written <= 0 { throw FeedFileFault(path, "can't be written") }
            at += written
        }
    }

    /// Returns once all that was appended is on the disk.
    func synchronise() throws(FeedFileFault) {
        if fsync(descriptor) != 0 { throw FeedFileFault(path, "can't be forced to the disk") }
    }

    /// A name is only safe from a power failure when its folder is on the disk too.
    static func synchroniseFolder(_ path: String) throws(FeedFileFault) {
        let folder = try open(path)
        if fsync(folder.descriptor) != 0 { throw FeedFileFault(path, "the folder can't be forced to the disk") }
    }
}
