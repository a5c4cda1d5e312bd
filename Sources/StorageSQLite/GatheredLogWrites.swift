import GRDBSQLite
import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A layer over SQLite's access to files (https://www.sqlite.org/vfs.html) that writes a transaction's pages to the
/// write-ahead log in one call where SQLite makes two for each page.
///
/// Whatever reads, flushes, measures or cuts the log finds what was gathered in the file. Other connections never miss
/// anything: they learn of a transaction from the log's index, which SQLite writes after the transaction's last frame.
enum GatheredLogWrites {
    /// Makes the layer the way in which this process opens databases from now on.
    static func install() throws(StorageError) {
        if let refusal { throw refusal }
    }

    /// SQLite's own access; set before the layer is there, and never changed.
    private nonisolated(unsafe) static let system = sqlite3_vfs_find(nil)

    private static let refusal: StorageError? = {
        guard let system else { return StorageError(.unavailable, "SQLite has no access to files here") }
        let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        layer.initialize(to: system.pointee)
        layer.pointee.zName = UnsafePointer(strdup("gathered-log-writes"))
        layer.pointee.pNext = nil
        layer.pointee.xOpen = { _, name, file, flags, outFlags in
            guard let file, let system = GatheredLogWrites.system else { return SQLITE_MISUSE }
            let code = system.pointee.xOpen(system, name, file, flags, outFlags)
            if code == SQLITE_OK, flags & SQLITE_OPEN_WAL != 0 { LogFile.wrap(file) }
            return code
        }
        let code = sqlite3_vfs_register(layer, 1)
        return code == SQLITE_OK ? nil : StorageError(sqlite: code, "the layer over files was refused")
    }()
}

/// What belongs to one opened log. SQLite finds it by the file's methods, which are a copy of this file's own.
private struct LogFile: ~Copyable {
    typealias File = UnsafeMutablePointer<sqlite3_file>

    /// First, so that a pointer to the methods is one to all of this.
    private var methods: sqlite3_io_methods
    private let system: UnsafePointer<sqlite3_io_methods>
    private var buffer = LogWriteBuffer()

    /// Puts the gathering methods in place of those that the file was opened with.
    static func wrap(_ file: File) {
        guard let system = file.pointee.pMethods else { return }
        let log = UnsafeMutablePointer<LogFile>.allocate(capacity: 1)
        log.initialize(to: LogFile(system))
        file.pointee.pMethods = UnsafeRawPointer(log).assumingMemoryBound(to: sqlite3_io_methods.self)
    }

    private init(_ system: UnsafePointer<sqlite3_io_methods>) {
        self.system = system
        methods = system.pointee
        methods.xWrite = { LogFile.write($0, $1, $2, $3) }
        methods.xRead = { file, bytes, count, offset in
            LogFile.flushed(file) { $1.pointee.xRead($0, bytes, count, offset) }
        }
        methods.xTruncate = { file, size in LogFile.flushed(file) { $1.pointee.xTruncate($0, size) } }
        methods.xSync = { file, flags in LogFile.flushed(file) { $1.pointee.xSync($0, flags) } }
        methods.xFileSize = { file, size in LogFile.flushed(file) { $1.pointee.xFileSize($0, size) } }
        methods.xClose = { file in
            // The file is closed even when what was gathered can not be written: nobody was told of that.
            let flushed = LogFile.flushed(file) { _, _ in SQLITE_OK }
            guard let file, let log = LogFile.of(file) else { return SQLITE_MISUSE }
            let closed = log.pointee.system.pointee.xClose(file)
            log.deinitialize(count: 1)
            log.deallocate()
            return flushed == SQLITE_OK ? closed : flushed
        }
    }

    private static func of(_ file: File) -> UnsafeMutablePointer<LogFile>? {
        UnsafeMutableRawPointer(mutating: file.pointee.pMethods)?.assumingMemoryBound(to: LogFile.self)
    }

    private static func write(_ file: File?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
        guard let file, let bytes, let log = of(file) else { return SQLITE_MISUSE }
        let system = log.pointee.system
        return log.pointee.buffer.append(UnsafeRawBufferPointer(start: bytes, count: Int(count)), at: offset) {
            system.pointee.xWrite(file, $0.baseAddress, Int32($0.count), $1)
        }
    }

    /// Does what SQLite asks for once the file holds all that was gathered.
    private static func flushed(_ file: File?, _ work: (File, UnsafePointer<sqlite3_io_methods>) -> Int32) -> Int32 {
        guard let file, let log = of(file) else { return SQLITE_MISUSE }
        let system = log.pointee.system
        let code = log.pointee.buffer.flush { system.pointee.xWrite(file, $0.baseAddress, Int32($0.count), $1) }
        return code == SQLITE_OK ? work(file, system) : code
    }
}
