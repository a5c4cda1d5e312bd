import Storage

/// Number of a type in PostgreSQL's catalogue (`pg_type.dat`); these are fixed for ever.
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let uuid: UInt32 = 2950
    static let byteaArray: UInt32 = 1001
    static let int4Array: UInt32 = 1007
    static let textArray: UInt32 = 1009
    static let int8Array: UInt32 = 1016
    static let uuidArray: UInt32 = 2951
    /// The server works the type out from where the argument stands.
    static let inferred: UInt32 = 0
}

/// The arguments of one statement in PostgreSQL's binary form, in one block of memory that serves statement after
/// statement.
struct PostgresParameters: ~Copyable {
    private static let usualBytes = 64 * 1024
    /// A block that one large statement made longer than this is given back after it.
    private static let keptBytes = 4 * 1024 * 1024

    private(set) var types: [UInt32] = []
    private var block = UnsafeMutableRawPointer.allocate(byteCount: usualBytes, alignment: 8)
    private var capacity = usualBytes
    private var used = 0
    /// Where each argument begins in the block; nil for null.
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var pointers: [UnsafePointer<CChar>?] = []

    deinit { block.deallocate() }

    /// Replaces what was there by the arguments of the next statement; a batch takes the form of its size.
    mutating func set(_ arguments: [SQLValue], rows: RowBatch?) throws(StorageError) {
        clear()
        for value in arguments { try add(value, as: value.kind?.postgresType ?? PostgresType.inferred) }
        guard let rows else { return }
        let form = BatchForm(rowCount: rows.count)
        for column in rows.columns.indices {
            if case .row = form { try addValue(column, of: rows) } else { try addArray(column, of: rows) }
        }
        if case .numbered = form { addNumbers(upTo: rows.count) }
    }

    /// Gives the arguments as libpq takes them: values, lengths, formats (all binary).
    mutating func withPointers<T>(
        _ body: (
            _ count: Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> T
    ) -> T {
        pointers.removeAll(keepingCapacity: true)
        for offset in offsets {
            pointers.append(offset.map { UnsafePointer((block + $0).assumingMemoryBound(to: CChar.self)) })
        }
        while formats.count < offsets.count { formats.append(1) }
        let count = Int32(offsets.count)
        return pointers.withUnsafeBufferPointer { values in
            lengths.withUnsafeBufferPointer { lengths in
                formats.withUnsafeBufferPointer { formats in
                    body(count, values.baseAddress, lengths.baseAddress, formats.baseAddress)
                }
            }
        }
    }

    private mutating func clear() {
        used = 0
        types.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        if capacity > Self.keptBytes {
            block.deallocate()
            block = .allocate(byteCount: Self.usualBytes, alignment: 8)
            capacity = Self.usualBytes
        }
    }

    private mutating func add(_ type: UInt32, at start: Int?) {
        types.append(type)
        offsets.append(start)
        lengths.append(start.map { Int32(used - $0) } ?? 0)
    }

    private mutating func add(_ value: SQLValue, as type: UInt32) throws(StorageError) {
        let start = used
        try write(value)
        add(type, at: value.kind.map { _ in start })
    }

    /// The only value of a column.
    private mutating func addValue(_ column: Int, of rows: RowBatch) throws(StorageError) {
        try check(rows.values[column], column, of: rows)
        try add(rows.values[column], as: rows.columns[column].kind.postgresType)
    }

    private func check(_ value: SQLValue, _ column: Int, of rows: RowBatch) throws(StorageError) {
        let (kind, name) = (rows.columns[column].kind, rows.columns[column].name)
        if let valueKind = value.kind, valueKind != kind {
            throw StorageError(.misuse, "a \(valueKind) stands in the \(kind) column \(name)")
        }
    }

    /// The array of the numbers from 1.
    private mutating func addNumbers(upTo last: Int) {
        let start = used
        writeHead(ofArray: PostgresType.int4, count: last)
        for number in 1...last {
            write(Int32(4))
            write(Int32(number))
        }
        add(PostgresType.int4Array, at: start)
    }

    /// An array is: dimensions, whether it holds nulls, element type, length, first index; then each element behind its
    /// length, which is -1 for null (`array_recv` in the server's `arrayfuncs.c`). No batch that is sent is empty.
    private mutating func addArray(_ column: Int, of rows: RowBatch) throws(StorageError) {
        let kind = rows.columns[column].kind
        let start = used
        let values = rows.values
        let nullFlag = writeHead(ofArray: kind.postgresType, count: rows.count)
        for index in stride(from: column, to: values.count, by: rows.columns.count) {
            let value = values[index]
            if case .null = value {
                write(Int32(-1))
                put(Int32(1), at: nullFlag)
                continue
            }
            try check(value, column, of: rows)
            let lengthOffset = used
            write(Int32(0))
            let elementOffset = used
            try write(value)
            put(Int32(used - elementOffset), at: lengthOffset)
        }
        add(kind.postgresArrayType, at: start)
    }

    /// Answers where it stands whether there are nulls.
    @discardableResult
    private mutating func writeHead(ofArray element: UInt32, count: Int) -> Int {
        write(Int32(1))
        let nullFlag = used
        write(Int32(0))
        write(element)
        write(Int32(count))
        write(Int32(1))
        return nullFlag
    }

    private mutating func write(_ value: SQLValue) throws(StorageError) {
        switch value {
        case .null: break
        case .int(let number): write(number)
        case .uuid(let high, let low):
            write(high)
            write(low)
        case .bytes(let bytes): bytes.withUnsafeBytes { copy($0) }
        case .text(var text):
            let hasNul = text.withUTF8 { utf8 in
                copy(UnsafeRawBufferPointer(utf8))
                return utf8.contains(0)
            }
            // libpq and the server would both end the text there or refuse it with less clear words.
            if hasNul { throw StorageError(.misuse, "a text with a NUL byte cannot be stored in PostgreSQL") }
        }
    }

    private mutating func write(_ value: some FixedWidthInteger) {
        reserve(value.bitWidth / 8)
        put(value, at: used)
        used += value.bitWidth / 8
    }

    private func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        block.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (block + used).copyMemory(from: source, byteCount: bytes.count)
        used += bytes.count
    }

    private mutating func reserve(_ count: Int) {
        if used + count <= capacity { return }
        let larger = max(capacity * 2, used + count)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        grown.copyMemory(from: block, byteCount: used)
        block.deallocate()
        block = grown
        capacity = larger
    }
}

extension SQLValue {
    /// Nil for null, which has no kind of its own.
    fileprivate var kind: ColumnKind? {
        switch self {
        case .null: nil
        case .int: .int
        case .text: .text
        case .bytes: .bytes
        case .uuid: .uuid
        }
    }
}

extension ColumnKind {
    fileprivate var postgresType: UInt32 {
        switch self {
        case .int: PostgresType.int8
        case .text: PostgresType.text
        case .bytes: PostgresType.bytea
        case .uuid: PostgresType.uuid
        }
    }

    fileprivate var postgresArrayType: UInt32 {
        switch self {
        case .int: PostgresType.int8Array
        case .text: PostgresType.textArray
        case .bytes: PostgresType.byteaArray
        case .uuid: PostgresType.uuidArray
        }
    }
}
