import GRDBSQLite
import Storage

/// Memory that a statement's values live in while it runs.
///
/// SQLite either copies each bound value into memory of its own, an allocation a value, or trusts the caller to keep it
/// in place. One block that is reused gives the second for the price of one copy.
final class SQLiteArena {
    /// Larger blocks are given back after use: one large body must not stay for ever.
    private static let keptBytes = 512 * 1024

    private var block: UnsafeMutableRawPointer
    private var capacity: Int

    init(capacity: Int = 4096) {
        self.capacity = capacity
        block = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { block.deallocate() }

    /// Binds `arguments` from parameter 1 on and `batch` behind them. What was bound holds until the next call.
    func bind(
        _ arguments: [SQLValue], _ batch: ArraySlice<SQLValue>, to statement: OpaquePointer
    ) throws(StorageError) {
        var needed = 1
        for value in arguments { needed += SQLiteArena.size(value) }
        for value in batch { needed += SQLiteArena.size(value) }
        resize(needed)
        var at = block
        var parameter: Int32 = 1
        for value in arguments {
            try SQLiteArena.bind(value, parameter, statement, &at)
            parameter += 1
        }
        for value in batch {
            try SQLiteArena.bind(value, parameter, statement, &at)
            parameter += 1
        }
    }

    private func resize(_ needed: Int) {
        if needed <= capacity && (capacity <= SQLiteArena.keptBytes || needed > SQLiteArena.keptBytes) { return }
        block.deallocate()
        capacity = needed <= SQLiteArena.keptBytes ? max(4096, needed * 2) : needed
        block = .allocate(byteCount: capacity, alignment: 8)
    }

    private static func size(_ value: SQLValue) -> Int {
        switch value {
        case .null, .int: 0
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .uuid: 16
        }
    }

    private static func bind(
        _ value: SQLValue, _ parameter: Int32, _ statement: OpaquePointer, _ at: inout UnsafeMutableRawPointer
    ) throws(StorageError) {
        let code: Int32
        switch value {
        case .null:
            code = sqlite3_bind_null(statement, parameter)
        case .int(let int):
            code = sqlite3_bind_int64(statement, parameter, int)
        case .text(var text):
            let count = text.withUTF8 { copy(UnsafeRawBufferPointer($0), to: at) }
            // PostgreSQL can not hold a NUL in text; the two engines must refuse the same values.
            if UnsafeRawBufferPointer(start: at, count: count).contains(0) {
                throw StorageError(.misuse, "parameter \(parameter) is text with a NUL in it")
            }
            let start = at.assumingMemoryBound(to: CChar.self)
            code = sqlite3_bind_text64(statement, parameter, start, UInt64(count), nil, UInt8(SQLITE_UTF8))
            at += count
        case .bytes(let bytes):
            let count = bytes.withUnsafeBytes { copy($0, to: at) }
            code = sqlite3_bind_blob64(statement, parameter, at, UInt64(count), nil)
            at += count
        case .uuid(let high, let low):
            at.storeBytes(of: high.bigEndian, as: UInt64.self)
            at.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            code = sqlite3_bind_blob64(statement, parameter, at, 16, nil)
            at += 16
        }
        if code != SQLITE_OK { throw StorageError(sqlite: code, "parameter \(parameter) was refused") }
    }

    private static func copy(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        if let start = source.baseAddress { target.copyMemory(from: start, byteCount: source.count) }
        return source.count
    }
}
