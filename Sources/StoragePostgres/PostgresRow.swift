import CPostgres
import Storage

/// One row of a binary answer. It moves on from row to row instead of being made anew for each.
final class PostgresRow: Row {
    private let answer: OpaquePointer
    private let columnCount: Int32
    var index: Int32 = 0
    /// The first reading that the answer does not allow. `Row` cannot throw, so the transaction throws it afterwards.
    private(set) var fault: StorageError?

    init(_ answer: OpaquePointer) {
        self.answer = answer
        columnCount = PQnfields(answer)
    }

    func isNull(_ column: Int) -> Bool {
        guard column >= 0, column < columnCount else {
            report(column, "is read")
            return true
        }
        return PQgetisnull(answer, index, Int32(column)) == 1
    }

    func int(_ column: Int) -> Int64 {
        guard let value = value(column) else { return 0 }
        switch PQftype(answer, Int32(column)) {
        case PostgresType.int8: return value.load(Int64.self)
        case PostgresType.int4: return Int64(value.load(Int32.self))
        case PostgresType.int2: return Int64(value.load(Int16.self))
        case PostgresType.oid: return Int64(value.load(UInt32.self))
        case PostgresType.bool: return Int64(value.load(UInt8.self))
        default:
            report(column, "is read as an integer")
            return 0
        }
    }

    func text(_ column: Int) -> String {
        guard let value = value(column) else { return "" }
        switch PQftype(answer, Int32(column)) {
        case PostgresType.text, PostgresType.varchar, PostgresType.name, PostgresType.bpchar:
            return String(decoding: value, as: UTF8.self)
        default:
            report(column, "is read as text")
            return ""
        }
    }

    func bytes(_ column: Int) -> [UInt8] {
        guard let value = value(column) else { return [] }
        guard PQftype(answer, Int32(column)) == PostgresType.bytea else {
            report(column, "is read as bytes")
            return []
        }
        return [UInt8](value)
    }

    func uuid(_ column: Int) -> (high: UInt64, low: UInt64) {
        guard let value = value(column) else { return (0, 0) }
        guard PQftype(answer, Int32(column)) == PostgresType.uuid else {
            report(column, "is read as a UUID")
            return (0, 0)
        }
        return (value.load(UInt64.self), UnsafeRawBufferPointer(rebasing: value[8...]).load(UInt64.self))
    }

    private func value(_ column: Int) -> UnsafeRawBufferPointer? {
        guard !isNull(column) else {
            report(column, "is null and is read as a value")
            return nil
        }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(answer, index, Int32(column)), count: Int(PQgetlength(answer, index, Int32(column))))
    }

    private func report(_ column: Int, _ what: String) {
        if fault != nil { return }
        guard column >= 0, column < columnCount else {
            fault = StorageError(.misuse, "column \(column) \(what) of an answer that has \(columnCount)")
            return
        }
        let name = PQfname(answer, Int32(column)).map { String(cString: $0) } ?? ""
        fault = StorageError(
            .misuse, "column \(column) \"\(name)\" of type \(PQftype(answer, Int32(column))) \(what)")
    }
}

extension UnsafeRawBufferPointer {
    /// The number in network order at the beginning.
    fileprivate func load<Value: FixedWidthInteger>(_: Value.Type) -> Value {
        Value(bigEndian: loadUnaligned(as: Value.self))
    }
}
