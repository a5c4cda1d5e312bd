import GRDB
import GRDBSQLite
import Kernel
import Storage

/// A connection as GRDB opened and configured it, before a thread takes it for itself.
final class SQLiteHandle: Sendable {
    private let queue: DatabaseQueue
    private let isReader: Bool

    private init(_ queue: DatabaseQueue, isReader: Bool) {
        self.queue = queue
        self.isReader = isReader
    }

    /// The one connection that commits. It makes the file, and keeps only what is flushed to the disk.
    static func writer(path: String, time: TimeSource) throws(StorageError) -> SQLiteHandle {
        var configuration = common(time)
        configuration.journalMode = .wal
        let handle = SQLiteHandle(try open(path, configuration), isReader: false)
        try handle.configure([
            // Only now: GRDB sets NORMAL while it opens a WAL database, which loses acknowledged rows when power fails.
            "PRAGMA synchronous = FULL",
            "PRAGMA cache_size = -16384",
            // The writer checkpoints by itself, after it has answered.
            "PRAGMA wal_autocheckpoint = 0",
            "PRAGMA journal_size_limit = \(SQLiteCheckpoints.keptWALBytes)",
            // Deleted content is overwritten where that costs no further page.
            "PRAGMA secure_delete = FAST",
        ])
        return handle
    }

    /// A connection that sees snapshots and can not write.
    static func reader(path: String, time: TimeSource) throws(StorageError) -> SQLiteHandle {
        var configuration = common(time)
        configuration.readonly = true
        let handle = SQLiteHandle(try open(path, configuration), isReader: true)
        try handle.configure(["PRAGMA cache_size = -4096"])
        return handle
    }

    /// Lends the connection to this thread for as long as `body` runs.
    func use(figures: SQLiteFigures, _ body: (SQLiteConnection) -> Void) throws {
        try queue.inDatabase { database in
            guard let pointer = database.sqliteConnection else { throw StorageError(.unavailable, "closed") }
            let connection = SQLiteConnection(handle: pointer, isReader: isReader, figures: figures)
            defer { connection.finalizeStatements() }
            body(connection)
        }
    }

    func close() throws { try queue.close() }

    private func configure(_ pragmas: [String]) throws(StorageError) {
        do {
            try queue.inDatabase { database in
                for pragma in pragmas { try database.execute(sql: pragma) }
            }
        } catch {
            throw SQLiteHandle.storageError(error)
        }
    }

    private static func common(_ time: TimeSource) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        // The loops end their transactions themselves; GRDB would stop the process over one that a broken disk left
        // open.
        configuration.allowsUnsafeTransactions = true
        // Only a tool beside the server can hold the file's lock; it is waited for this long.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA mmap_size = 0")
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            // From some hundred rows of a list on, it would walk a whole table to make an index for one statement, in
            // place of looking each row up in the index there is: nothing here has statistics.
            try database.execute(sql: "PRAGMA automatic_index = OFF")
            if let pointer = database.sqliteConnection { try addClock(time, to: pointer) }
        }
        return configuration
    }

    private static func open(_ path: String, _ configuration: Configuration) throws(StorageError) -> DatabaseQueue {
        try GatheredLogWrites.install()
        do {
            return try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw storageError(error, path)
        }
    }

    private static func storageError(_ error: any Error, _ path: String = "") -> StorageError {
        if let error = error as? DatabaseError {
            return StorageError(
                sqlite: error.extendedResultCode.rawValue, "\(error.message ?? "no words") \(path)")
        }
        return StorageError(.unavailable, "\(error) \(path)")
    }

    /// Registers `now_ms()`; SQLite gives the box back when the connection closes.
    static func addClock(_ time: TimeSource, to connection: OpaquePointer) throws {
        let box = Unmanaged.passRetained(ClockBox(time)).toOpaque()
        let code = sqlite3_create_function_v2(
            connection, "now_ms", 0, SQLITE_UTF8, box,
            { context, _, _ in
                guard let raw = sqlite3_user_data(context) else { return }
                let time = Unmanaged<ClockBox>.fromOpaque(raw).takeUnretainedValue().time
                sqlite3_result_int64(context, time.now().milliseconds)
            },
            nil, nil,
            { raw in
                if let raw { Unmanaged<ClockBox>.fromOpaque(raw).release() }
            })
        if code != SQLITE_OK { throw StorageError(sqlite: code, "now_ms() was refused") }
    }
}

private final class ClockBox: Sendable {
    let time: TimeSource
    init(_ time: TimeSource) { self.time = time }
}
