import CSQLite
import FoundationEssentials
import Glibc

/// One SQLite database, as bare as bulk work and a bare commit loop want it.
final class SQLiteFile {
    private var handle: OpaquePointer?

    init(_ path: String) throws {
        try check(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nil))
    }

    deinit { sqlite3_close_v2(handle) }

    static var version: String { String(cString: sqlite3_libversion()) }

    /// The one database file that a server keeps in its data folder, known by its first bytes.
    static func path(in folder: String) throws -> String {
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            let path = "\(folder)/\(name)"
            guard let start = try Self.start(of: path), start.starts(with: "SQLite format 3".utf8) else { continue }
            return path
        }
        throw BenchError("no database in \(folder)")
    }

    func execute(_ text: String) throws { try check(sqlite3_exec(handle, text, nil, nil, nil)) }

    func prepare(_ text: String) throws -> Statement {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(handle, text, -1, &statement, nil))
        return Statement(statement, of: self)
    }

    /// The first column of the first row.
    func integer(_ text: String) throws -> Int64 {
        let statement = try prepare(text)
        guard try statement.step() else { throw BenchError("no row: \(text)") }
        return sqlite3_column_int64(statement.handle, 0)
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw BenchError("SQLite: \(String(cString: sqlite3_errmsg(handle)))") }
    }

    private static func start(of path: String) throws -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 15)
        return fread(&bytes, 1, 15, file) == 15 ? bytes : nil
    }

    final class Statement {
        fileprivate let handle: OpaquePointer?
        private let file: SQLiteFile

        fileprivate init(_ handle: OpaquePointer?, of file: SQLiteFile) {
            self.handle = handle
            self.file = file
        }

        deinit { sqlite3_finalize(handle) }

        func run(_ values: [StoredValue]) throws {
            for (index, value) in values.enumerated() {
                let column = Int32(index + 1)
                switch value {
                case .int(let int): sqlite3_bind_int64(handle, column, int)
                case .text(let text): sqlite3_bind_text(handle, column, text, -1, transient)
                case .bytes(let bytes), .id(let bytes):
                    sqlite3_bind_blob64(handle, column, bytes, UInt64(bytes.count), transient)
                }
            }
            _ = try step()
            sqlite3_reset(handle)
        }

        fileprivate func step() throws -> Bool {
            let code = sqlite3_step(handle)
            guard code == SQLITE_ROW || code == SQLITE_DONE else {
                throw BenchError("SQLite: \(String(cString: sqlite3_errmsg(file.handle)))")
            }
            return code == SQLITE_ROW
        }
    }
}

/// SQLite's mark for "copy the bytes before you return", which its header spells as a cast that Swift can't read.
private var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
