import FoundationEssentials

extension SQLiteFile: StoppedStore {
    /// Rows of one transaction: enough that the commits cost nothing, few enough for the page cache.
    private static let together = 50_000

    func rows(of table: String, _ columns: [String]) throws -> any StoredRows {
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        return try prepare("INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))")
    }

    func fill(_ count: Int, _ insert: (Int) throws -> Void) throws {
        // Without journal and flushes.
        try execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000")
        for start in stride(from: 0, to: count, by: Self.together) {
            try execute("BEGIN")
            for number in start..<min(count, start + Self.together) { try insert(number) }
            try execute("COMMIT")
        }
        try execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    }

    func literal(_ id: UUID) -> String { "x'\(id.uuidString.filter { $0 != "-" })'" }
}

extension SQLiteFile.Statement: StoredRows {
    func add(_ values: [StoredValue]) throws { try run(values) }
}
