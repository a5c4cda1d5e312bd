import Storage
import Testing

extension StorageContract {
    /// Sizes around the powers of two, the chunks that an engine may cut a batch into, and its forms of a batch.
    private static let sizes = [1, 2, 3, 64, 65, 255, 256, 257, 1000]

    static let batchChecks =
        sizes.map { size in
            ContractCheck("A batch of \(size) rows is inserted, updated and deleted whole") { database in
                try await checkRoundTrip(size, database)
            }
        } + [
            ContractCheck("An empty batch runs no statement") { database in
                let before = database.statementCount
                let batch = RowBatch(["id": .uuid])
                try await database.write { transaction in
                    let statement: Statement = "DELETE FROM sample WHERE id IN (SELECT id FROM {rows} r)"
                    expectEqual(try transaction.executeCounting(statement, rows: batch), 0)
                    expectEqual(try transaction.all("SELECT id FROM {rows} r", rows: batch) { $0.int(0) }, [])
                    expectEqual(try transaction.run(statement, [], rows: batch) { _ in }, 0)
                }
                #expect(database.statementCount == before)
            },
            ContractCheck("ON CONFLICT DO NOTHING returns only the rows that are new") { database in
                try await database.write { transaction in
                    try transaction.insert(2)
                    try transaction.insert(4)
                }
                let new = try await database.write { try insert(batch(1...5), $0) }
                #expect(new.sorted() == [1, 3, 5])
            },
            ContractCheck("A row twice in one batch is inserted once") { database in
                var rows = batch(1...3)
                rows.append(key(2), .int(2), .text("again"), .null, .null)
                let doubled = rows
                expectEqual(try await database.write { try insert(doubled, $0) }.sorted(), [1, 2, 3])
            },
            ContractCheck("Arguments stand before the rows, and columns may be null but for the first") { database in
                var rows = RowBatch(["id": .uuid, "number": .int, "label": .text, "body": .bytes])
                for number in 1...5 { rows.append(key(number), .null, .null, .null) }
                rows.append(key(6), .int(6), .text("six"), .bytes([6]))
                try await expectNulls(rows, count: 5, database)
            },
            ContractCheck("So they may in a batch of one row, and in a large one") { database in
                var rows = RowBatch(["id": .uuid, "number": .int, "label": .text, "body": .bytes])
                rows.append(key(1), .null, .null, .null)
                try await expectNulls(rows, count: 1, database)
                for number in 2...99 { rows.append(key(number), .null, .null, .null) }
                rows.append(key(100), .int(6), .text("six"), .bytes([6]))
                try await expectNulls(rows, count: 99, database)
            },
            ContractCheck("The same statement takes batches of other sizes one after the other") { database in
                for range in [1...9, 10...10, 11...13, 14...29, 30...31] {
                    let rows = batch(range)
                    expectEqual(try await database.write { try insert(rows, $0) }.sorted(), range.map { Int64($0) })
                }
                expectEqual(try await database.numbers(), (1...31).map { Int64($0) })
            },
        ]

    /// Inserts rows of which the first so many have nothing but a key, and looks at what the table has then.
    private static func expectNulls(_ rows: RowBatch, count: Int, _ database: any Database) async throws {
        try await database.write { transaction in
            try transaction.execute("DELETE FROM sample")
            let inserted = try transaction.executeCounting(
                """
                INSERT INTO sample (id, number, label, body, owner)
                SELECT id, number, label, body, $1 FROM {rows} r WHERE true
                """, [key(77)], rows: rows)
            #expect(inserted == rows.count)
        }
        let nulls = try await database.read { transaction in
            try transaction.all("SELECT number, label, body, owner FROM sample ORDER BY id") {
                [$0.isNull(0), $0.isNull(1), $0.isNull(2), $0.isNull(3)]
            }
        }
        let filled = Array(repeating: Array(repeating: false, count: 4), count: rows.count - count)
        #expect(nulls == Array(repeating: [true, true, true, false], count: count) + filled)
    }

    private static func batch(_ numbers: ClosedRange<Int>) -> RowBatch {
        var rows = RowBatch(["id": .uuid, "number": .int, "label": .text, "body": .bytes, "owner": .uuid])
        for number in numbers {
            rows.append(key(number), .int(number), .text("label \(number)"), .bytes([UInt8(number % 251)]), key(0))
        }
        return rows
    }

    private static func insert(_ rows: RowBatch, _ transaction: any Transaction) throws -> [Int64] {
        try transaction.all(
            """
            INSERT INTO sample (id, number, label, body, owner)
            SELECT id, number, label, body, owner FROM {rows} r WHERE true
            ON CONFLICT (id) DO NOTHING RETURNING number
            """, rows: rows
        ) { $0.int(0) }
    }

    @Sendable
    private static func checkRoundTrip(_ size: Int, _ database: any Database) async throws {
        let rows = batch(1...size)
        expectEqual(try await database.write { try insert(rows, $0) }.count, size)

        var changes = RowBatch(["id": .uuid, "amount": .int])
        for number in 1...size where number % 2 == 1 { changes.append(key(number), .int(1_000_000)) }
        let odd = changes
        let updated = try await database.write { transaction in
            try transaction.executeCounting(
                "UPDATE sample SET number = number + r.amount FROM {rows} r WHERE sample.id = r.id", rows: odd)
        }
        #expect(updated == odd.count)
        let sum = try await database.read {
            try $0.first("SELECT CAST(SUM(number) AS {int}) FROM sample") { $0.int(0) }
        }
        #expect(sum == Int64(size * (size + 1) / 2 + odd.count * 1_000_000))

        let deleted = try await database.write { transaction in
            try transaction.executeCounting("DELETE FROM sample WHERE id IN (SELECT id FROM {rows} r)", rows: odd)
        }
        #expect(deleted == odd.count)
        expectEqual(try await database.numbers(), (1...size).filter { $0 % 2 == 0 }.map { Int64($0) })
    }
}
