import Storage
import StoragePostgres
import Testing

@Suite("PostgreSQL values")
struct PostgresValueTests {
    private static let insertRows: Statement =
        "INSERT INTO item (number, label, body, reference) SELECT number, label, body, reference FROM {rows} AS r"
    private static let selectRows: Statement = "SELECT number, label, body, reference FROM item ORDER BY number"

    private struct Item: Equatable, Sendable {
        let number: Int64
        let label: String?
        let body: [UInt8]?
        let reference: [UInt64]?

        init(number: Int64, label: String?, body: [UInt8]?, reference: [UInt64]?) {
            self.number = number
            self.label = label
            self.body = body
            self.reference = reference
        }

        init(_ row: any Row) {
            let bits = row.isNull(3) ? nil : row.uuid(3)
            self.init(
                number: row.int(0), label: row.textOrNil(1), body: row.bytesOrNil(2),
                reference: bits.map { [$0.high, $0.low] })
        }

        var values: [SQLValue] {
            [.int(number), .text(label), .bytes(body), reference.map { .uuid(high: $0[0], low: $0[1]) } ?? .null]
        }
    }

    private static let samples = [
        Item(number: .min, label: "", body: [], reference: [0, 0]),
        Item(number: -1, label: nil, body: nil, reference: nil),
        Item(number: 0, label: "größer 🚢 \u{1}", body: [0, 255, 0], reference: [.max, .max]),
        Item(number: .max, label: "plain", body: Array(repeating: 7, count: 300_000), reference: [1, 2]),
    ]

    private static func batch(_ items: [Item]) -> RowBatch {
        var batch = RowBatch(["number": .int, "label": .text, "body": .bytes, "reference": .uuid])
        for item in items {
            let values = item.values
            batch.append(values[0], values[1], values[2], values[3])
        }
        return batch
    }

    @Test("Values of each kind come back as they went in")
    func singleValues() async throws {
        try await withPostgres { database, _ in
            try await database.write { transaction in
                for item in Self.samples {
                    try transaction.execute(
                        "INSERT INTO item (number, label, body, reference) VALUES ($1, $2, $3, $4)", item.values)
                }
            }
            let found = try await database.read { try $0.all(Self.selectRows) { Item($0) } }
            #expect(found == Self.samples)
        }
    }

    @Test("A batch keeps nulls, empty values and large values apart")
    func batches() async throws {
        try await withPostgres { database, _ in
            let changed = try await database.write { transaction in
                try transaction.executeCounting(Self.insertRows, rows: Self.batch(Self.samples))
            }
            #expect(changed == Self.samples.count)
            #expect(try await database.read { try $0.all(Self.selectRows) { Item($0) } } == Self.samples)
        }
    }

    @Test("Batches of any length use one prepared statement", arguments: [0, 1, 2, 1000])
    func lengths(count: Int) async throws {
        try await withPostgres { database, _ in
            let items = (0..<count).map {
                Item(
                    number: Int64($0), label: $0 % 3 == 0 ? nil : "label \($0)", body: [UInt8(truncatingIfNeeded: $0)],
                    reference: [UInt64($0), 1])
            }
            let answered = try await database.write { transaction in
                try transaction.run(Self.insertRows, [], rows: Self.batch([])) { _ in }
                return try transaction.run(Self.insertRows, [], rows: Self.batch(items)) { _ in }
            }
            #expect(answered == count)
            #expect(try await database.read { try $0.all(Self.selectRows) { Item($0) } } == items)
        }
    }

    @Test("A text with a NUL byte is refused and nothing of its transaction stays")
    func nulText() async throws {
        try await withPostgres { database, _ in
            for values: [SQLValue] in [[.int(1), .text("a\0b")], [.int(1), .text("\0")]] {
                let code = try await storageCode {
                    try await database.write { transaction in
                        try transaction.execute("INSERT INTO item (number) VALUES (99)")
                        try transaction.execute("INSERT INTO item (number, label) VALUES ($1, $2)", values)
                    }
                }
                #expect(code == .misuse)
            }
            var batch = RowBatch(["number": .int, "label": .text])
            batch.append(.int(1), .text("in a batch\0"))
            let sealed = batch
            let code = try await storageCode {
                try await database.write { transaction in
                    try transaction.execute(
                        "INSERT INTO item (number, label) SELECT number, label FROM {rows} AS r", rows: sealed)
                }
            }
            #expect(code == .misuse)
            #expect(try await database.read { try $0.all(Self.selectRows) { $0.int(0) } } == [])
        }
    }

    @Test("A value of another kind than its batch column is refused")
    func wrongKindInBatch() async throws {
        try await withPostgres { database, _ in
            var batch = RowBatch(["number": .int])
            batch.append(.text("one"))
            let sealed = batch
            let code = try await storageCode {
                try await database.write {
                    try $0.execute("INSERT INTO item (number) SELECT number FROM {rows} AS r", rows: sealed)
                }
            }
            #expect(code == .misuse)
        }
    }

    @Test("Small integers, truth values and names are read as the kinds they fit")
    func kindredTypes() async throws {
        try await withPostgres { database, _ in
            let sum = try await database.read { transaction in
                try transaction.first("SELECT 1::int2, 2::int4, 4::oid, true, 'x'::name, 'y'::varchar, 'z'::char(1)") {
                    row in
                    let text = row.text(4) + row.text(5) + row.text(6)
                    return "\(row.int(0) + row.int(1) + row.int(2)) \(row.flag(3)) \(text)"
                }
            }
            #expect(sum == "7 true xyz")
        }
    }

    @Test(
        "Reading a column as what it is not is a defect that names the column",
        arguments: [
            ("SELECT 1.5 AS price", "price"), ("SELECT 'one' AS word", "word"), ("SELECT NULL::bigint AS gap", "gap"),
            ("SELECT now() AS moment", "1184"), ("SELECT", "column 0"),
        ])
    func faults(text: String, expected: String) async throws {
        try await withPostgres { database, _ in
            let error = await #expect(throws: StorageError.self) {
                _ = try await database.read { try $0.all(Statement(composed: text)) { $0.int(0) } }
            }
            #expect(error?.code == .misuse)
            #expect(error?.detail.contains(expected) == true)
        }
    }

    @Test("An argument may be null in one run and a value in the next")
    func changingNulls() async throws {
        try await withPostgres { database, _ in
            let statement: Statement = "INSERT INTO item (number, label, reference) VALUES ($1, $2, $3)"
            try await database.write { transaction in
                try transaction.execute(statement, [.int(1), .null, .null])
                try transaction.execute(statement, [.int(2), .text("two"), .null])
                try transaction.execute(statement, [.int(3), .null, .uuid(high: 3, low: 3)])
                try transaction.execute(statement, [.int(4), .text("four"), .uuid(high: 4, low: 4)])
                try transaction.execute(statement, [.int(5), .null, .null])
            }
            let labels = try await database.read {
                try $0.all("SELECT label FROM item ORDER BY number") { $0.textOrNil(0) }
            }
            #expect(labels == [nil, "two", nil, "four", nil])
        }
    }
}
