import Kernel
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The folder that holds what must outlive the process, and the names in it.
package enum DataDirectory {
    package static func store(_ directory: String) -> String { "\(directory)/tradewind.sqlite" }
    package static func masterKey(_ directory: String) -> String { "\(directory)/master.key" }
    package static func feeds(_ directory: String) -> String { "\(directory)/feeds" }

    /// Makes the folder, readable by its owner only, with those above it.
    package static func make(_ directory: String) throws {
        var path = ""
        for part in FilePath(directory).components {
            if path.isEmpty, directory.hasPrefix("/") { path = "/" }
            path += (path.isEmpty || path.hasSuffix("/") ? "" : "/") + part.string
            if mkdir(path, 0o700) != 0, errno != EEXIST {
                let why = String(cString: strerror(errno))
                throw SettingError(
                    key: SettingKey.dataDirectory.rawValue, source: directory, detail: "\(path) can't be made: \(why)")
            }
        }
        if access(directory, W_OK) != 0 {
            throw SettingError(
                key: SettingKey.dataDirectory.rawValue, source: directory, detail: "it can't be written to")
        }
    }
}

extension DataDirectory {
    /// Bytes that this process may still write to the folder's file system.
    static func freeBytes(_ directory: String) throws -> UInt64 {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { throw failure("examined", directory) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// How long appending 4 KiB and forcing it to the disk takes: the median of twenty times.
    static func flushMicroseconds(_ directory: String) throws -> Int64 {
        let path = "\(directory)/.flush-\(getpid())"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0 { throw failure("written to", directory) }
        defer {
            close(file)
            unlink(path)
        }
        let block = [UInt8](repeating: 0x5A, count: 4096)
        let clock = ContinuousClock()
        var times: [Duration] = []
        for _ in 0..<20 {
            let begin = clock.now
            guard write(file, block, block.count) == block.count, fdatasync(file) == 0 else {
                throw failure("written to", directory)
            }
            times.append(begin.duration(to: clock.now))
        }
        times.sort()
        return times[times.count / 2].wholeMicroseconds
    }

    private static func failure(_ verb: String, _ directory: String) -> SettingError {
        SettingError(
            key: SettingKey.dataDirectory.rawValue, source: directory,
            detail: "it can't be \(verb): \(String(cString: strerror(errno)))")
    }
}
