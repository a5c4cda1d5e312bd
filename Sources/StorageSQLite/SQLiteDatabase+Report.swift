import GRDBSQLite
import Storage
import Synchronization

extension SQLiteDatabase {
    /// Read on the writer's own connection: `synchronous` belongs to a connection, not to the file.
    package func report() async throws -> EngineReport {
        let settings = try await write(.interactive) { transaction in
            let number: (any Row) throws -> String = { String($0.int(0)) }
            return [
                ("journal_mode", try transaction.first("PRAGMA journal_mode") { $0.text(0) } ?? ""),
                ("synchronous", try transaction.first("PRAGMA synchronous", [], number) ?? ""),
                ("page_size", try transaction.first("PRAGMA page_size", [], number) ?? ""),
                ("page_count", try transaction.first("PRAGMA page_count", [], number) ?? ""),
                ("cache_size", try transaction.first("PRAGMA cache_size", [], number) ?? ""),
                ("foreign_keys", try transaction.first("PRAGMA foreign_keys", [], number) ?? ""),
            ]
        }
        let logged = ("wal_pages", String(figures.loggedPages.load(ordering: .relaxed)))
        var warnings: [String] = []
        if settings[1].1 != "2" {
            warnings.append("synchronous is not FULL (2): acknowledged rows may be lost when power fails")
        }
        if SQLiteVersion(number: Int(sqlite3_libversion_number())).hasWALResetBug {
            warnings.append(
                "this SQLite can corrupt a file when several connections write and checkpoint at once; "
                    + "harmless here, where one writer alone commits and checkpoints")
        }
        return EngineReport(
            engine: "SQLite", version: String(cString: sqlite3_libversion()),
            settings: (settings + [logged]).map { (name: $0.0, value: $0.1) }, warnings: warnings)
    }
}

/// An SQLite release as `sqlite3_libversion_number` gives it: 3.40.1 is 3040001.
package struct SQLiteVersion: Sendable {
    package let number: Int

    package init(number: Int) {
        self.number = number
    }

    /// The releases in which a write-ahead log that starts anew can lose pages under concurrent checkpoints:
    /// 3.7.0 to 3.51.2, but for the corrected 3.44.6 and 3.50.7 and what follows them in their series.
    package var hasWALResetBug: Bool {
        switch number {
        case 3_044_006..<3_045_000, 3_050_007..<3_051_000: false
        case 3_007_000...3_051_002: true
        default: false
        }
    }
}
