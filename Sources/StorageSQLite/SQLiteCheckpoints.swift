import GRDBSQLite
import Storage
import Synchronization

/// Moves committed pages from the write-ahead log into the database file, between commits and never before an answer.
///
/// Only the writer does this. SQLite's own automatic checkpoint would run inside the commit that senders wait for.
final class SQLiteCheckpoints {
    /// Pages (of 4 KiB) after which the log is copied: small enough that a copy takes two milliseconds or so, since
    /// orders wait behind it; large enough that a page that changes often is copied once for many commits.
    static let pagesBetween = 1000
    /// A log this long has been held by readers for too long: the writer then waits until none of them needs it.
    static let pagesAtMost = 32_000
    /// What the log file is cut to when it starts anew; keeping this much spares growing it again.
    static let keptWALBytes = 32 * 1024 * 1024
    /// How long the writer may wait for readers then.
    private static let patienceMilliseconds: Int32 = 500
    private static let ordinaryPatienceMilliseconds: Int32 = 5000

    private let connection: OpaquePointer
    private let figures: SQLiteFigures
    private(set) var loggedPages = 0
    private var copiedPages = 0

    /// Whether the log holds pages that the database file lacks.
    var isBehind: Bool { loggedPages > copiedPages }

    init(_ connection: OpaquePointer, figures: SQLiteFigures) {
        self.connection = connection
        self.figures = figures
        sqlite3_wal_hook(
            connection,
            { box, _, _, pages in
                if let box {
                    Unmanaged<SQLiteCheckpoints>.fromOpaque(box).takeUnretainedValue().committed(Int(pages))
                }
                return SQLITE_OK
            },
            Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { sqlite3_wal_hook(connection, nil, nil) }

    /// To be called after each commit's answers.
    func afterCommit() throws(StorageError) {
        if loggedPages > SQLiteCheckpoints.pagesAtMost {
            sqlite3_busy_timeout(connection, SQLiteCheckpoints.patienceMilliseconds)
            defer { sqlite3_busy_timeout(connection, SQLiteCheckpoints.ordinaryPatienceMilliseconds) }
            try copy(SQLITE_CHECKPOINT_RESTART)
        } else if loggedPages - copiedPages >= SQLiteCheckpoints.pagesBetween {
            try copy(SQLITE_CHECKPOINT_PASSIVE)
        }
    }

    /// To be called when nothing is waiting.
    func whenIdle() throws(StorageError) {
        try copy(SQLITE_CHECKPOINT_PASSIVE)
    }

    private func committed(_ pages: Int) {
        // A shorter log than was copied before is a new one.
        if pages < copiedPages { copiedPages = 0 }
        loggedPages = pages
        figures.loggedPages.store(pages, ordering: .relaxed)
    }

    private func copy(_ mode: Int32) throws(StorageError) {
        var logged: Int32 = 0
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(connection, nil, mode, &logged, &copied)
        // Pages that a reader or a fault holds back are not tried again before as many new ones have come.
        copiedPages = loggedPages
        if code != SQLITE_OK && code & 0xFF != SQLITE_BUSY { throw StorageError.last(of: connection) }
    }
}
