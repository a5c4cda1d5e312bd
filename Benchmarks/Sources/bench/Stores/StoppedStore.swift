import FoundationEssentials

/// The database of a server that is stopped, written and asked directly, whatever its engine.
protocol StoppedStore: AnyObject {
    /// Rows to be added to a table; they are there when `fill` has returned.
    func rows(of table: String, _ columns: [String]) throws -> any StoredRows

    /// Calls `insert` so many times and brings what it adds into the database, faster than the server could: the
    /// database is nobody else's meanwhile, and is thrown away if this fails half way.
    func fill(_ count: Int, _ insert: (Int) throws -> Void) async throws

    func execute(_ text: String) async throws

    /// The first column of the first row.
    func integer(_ text: String) async throws -> Int64

    /// An id as the engine spells it in a statement.
    func literal(_ id: UUID) -> String
}

protocol StoredRows {
    /// - Parameter values: one for each column, in their order.
    func add(_ values: [StoredValue]) throws
}

enum StoredValue {
    case int(Int64)
    case text(String)
    case bytes([UInt8])
    /// The 16 bytes of a UUID.
    case id([UInt8])
}

extension StoredValue {
    static func id(_ id: UUID) -> StoredValue { .id(bytes(of: id)) }

    static func bytes(of id: UUID) -> [UInt8] { withUnsafeBytes(of: id.uuid) { Array($0) } }
}

extension TradewindServer.Launch {
    /// What the server that was started with this has left.
    func stoppedStore() throws -> any StoppedStore {
        if let databaseURL { return PostgresStore(databaseURL, folder: dataFolder) }
        return try SQLiteFile(SQLiteFile.path(in: dataFolder))
    }
}
