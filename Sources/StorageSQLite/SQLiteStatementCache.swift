import GRDBSQLite
import Storage

/// One prepared statement: a statement's text made for some batch columns and number of rows.
final class PreparedStatement {
    let handle: OpaquePointer
    let columns: [RowBatch.Column]
    /// Rows that its `VALUES` list holds; 0 without a batch.
    let capacity: Int
    let parameterCount: Int
    let bytes: Int
    /// It is being stepped; a statement run from a row's closure must not disturb it.
    var isBusy = false
    var lastUse = 0

    init(handle: OpaquePointer, columns: [RowBatch.Column], capacity: Int) {
        self.handle = handle
        self.columns = columns
        self.capacity = capacity
        parameterCount = Int(sqlite3_bind_parameter_count(handle))
        bytes = Int(sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_MEMUSED, 0))
    }

    deinit { sqlite3_finalize(handle) }

    func serves(_ columns: [RowBatch.Column], _ capacity: Int) -> Bool {
        guard self.capacity == capacity, self.columns.count == columns.count else { return false }
        return zip(self.columns, columns).allSatisfy { mine, other in
            mine.kind == other.kind && PreparedStatement.isSame(mine.name, other.name)
        }
    }

    /// The same literal lies at the same address nearly always, which spares comparing texts.
    private static func isSame(_ a: StaticString, _ b: StaticString) -> Bool {
        if a.hasPointerRepresentation, b.hasPointerRepresentation, a.utf8Start == b.utf8Start {
            return a.utf8CodeUnitCount == b.utf8CodeUnitCount
        }
        return a.description == b.description
    }
}

/// The prepared statements of one connection.
///
/// Plain literals stay for ever: there are as many as the code has. Composed texts and batches, of which each size of
/// list is a statement of its own, are bounded, the longest unused going first.
struct SQLiteStatementCache {
    static let composedLimit = 256
    static let boundedBytes = 6 * 1024 * 1024

    private var statements: [Statement.Key: [PreparedStatement]] = [:]
    private var bounded: [(key: Statement.Key, statement: PreparedStatement)] = []
    private var bytes = 0
    private var clock = 0

    mutating func fetch(_ key: Statement.Key, _ columns: [RowBatch.Column], _ capacity: Int) -> PreparedStatement? {
        guard let candidates = statements[key] else { return nil }
        for statement in candidates where statement.serves(columns, capacity) {
            clock += 1
            statement.lastUse = clock
            return statement
        }
        return nil
    }

    mutating func insert(_ statement: PreparedStatement, _ key: Statement.Key) {
        clock += 1
        statement.lastUse = clock
        statements[key, default: []].append(statement)
        if case .literal = key, statement.capacity == 0 { return }
        bounded.append((key, statement))
        bytes += statement.bytes
        while bounded.count > 1,
            bounded.count > SQLiteStatementCache.composedLimit
                || bytes > SQLiteStatementCache.boundedBytes
        {
            dropOldest()
        }
    }

    mutating func removeAll() {
        statements = [:]
        bounded = []
        bytes = 0
    }

    private mutating func dropOldest() {
        // A statement that runs now is kept alive by the call that runs it and is finalized behind it.
        guard let oldest = bounded.indices.min(by: { bounded[$0].statement.lastUse < bounded[$1].statement.lastUse })
        else { return }
        let (key, statement) = bounded.remove(at: oldest)
        bytes -= statement.bytes
        statements[key]?.removeAll { $0 === statement }
        if statements[key]?.isEmpty == true { statements[key] = nil }
    }
}
