import Storage

/// The statements that one session of the server holds ready.
struct PreparedStatements {
    /// Statements put together at run time differ without end; the oldest goes when there are more than these.
    static let composedLimit = 256

    final class Entry {
        let key: Statement.Key
        let name: String
        let types: [UInt32]
        let columns: [RowBatch.Column]

        init(key: Statement.Key, name: String, types: [UInt32], columns: [RowBatch.Column]) {
            self.key = key
            self.name = name
            self.types = types
            self.columns = columns
        }
    }

    private var entries: [Statement.Key: [Entry]] = [:]
    private var composed: [Entry] = []
    private var lastNumber = 0

    /// A null argument fits whatever type its place was prepared with.
    func find(_ key: Statement.Key, types: [UInt32], columns: [RowBatch.Column]) -> Entry? {
        entries[key]?.first { entry in
            entry.types.count == types.count && entry.columns.count == columns.count
                && zip(entry.types, types).allSatisfy { $0 == $1 || $1 == PostgresType.inferred }
                && zip(entry.columns, columns).allSatisfy { $0.name.isSame(as: $1.name) }
        }
    }

    mutating func add(_ key: Statement.Key, types: [UInt32], columns: [RowBatch.Column]) -> Entry {
        lastNumber += 1
        let entry = Entry(key: key, name: "s\(lastNumber)", types: types, columns: columns)
        entries[key, default: []].append(entry)
        if case .composed = key { composed.append(entry) }
        return entry
    }

    mutating func remove(_ entry: Entry) {
        entries[entry.key]?.removeAll { $0 === entry }
        if entries[entry.key]?.isEmpty == true { entries[entry.key] = nil }
        composed.removeAll { $0 === entry }
    }

    /// Takes out the oldest composed statement when there are too many; the session has to drop it too.
    mutating func removeSurplus() -> Entry? {
        guard composed.count > Self.composedLimit, let oldest = composed.first else { return nil }
        remove(oldest)
        return oldest
    }

    mutating func removeAll() {
        entries = [:]
        composed = []
    }
}

extension StaticString {
    /// Equal names are mostly the same literal, which needs no look at the characters.
    fileprivate func isSame(as other: StaticString) -> Bool {
        if hasPointerRepresentation, other.hasPointerRepresentation, utf8Start == other.utf8Start {
            return utf8CodeUnitCount == other.utf8CodeUnitCount
        }
        return description == other.description
    }
}
