import Storage
import Testing

extension StorageContract {
    static let questionChecks = [
        ContractCheck("A question sees what was written before it, and nothing that comes behind it") { database in
            let (first, second) = try await database.write { transaction in
                try transaction.insert(1)
                let first = try asked(in: transaction)
                try transaction.insert(2)
                let second = try asked(in: transaction)
                try transaction.insert(3)
                return (try first.answer(), try second.answer())
            }
            #expect(first == [1])
            #expect(second == [1, 2])
        },
        ContractCheck("Questions are answered in any order, between statements that are waited for") { database in
            let found = try await database.write { transaction in
                try transaction.insert(1)
                let first = try asked(in: transaction)
                let second = try asked(in: transaction)
                try transaction.insert(2)
                let count = try transaction.first("SELECT count(*) FROM sample") { $0.int(0) }
                let third = try asked(in: transaction)
                return [try third.answer(), try second.answer(), [count ?? 0], try first.answer()]
            }
            #expect(found == [[1, 2], [1], [2], [1]])
        },
        ContractCheck("A question that nobody waits for has its effect") { database in
            try await database.write { transaction in
                _ = try transaction.ask(
                    "INSERT INTO sample (id, number) SELECT id, number FROM {rows} r WHERE true RETURNING id",
                    rows: row(4)
                ) { $0.isNull(0) }
            }
            expectEqual(try await database.numbers(), [4])
        },
        ContractCheck("A refused question fails its write, waited for or not, and no other") { database in
            for isAwaited in [true, false] {
                let error = await database.failure { transaction in
                    try transaction.insert(1)
                    let refused = try transaction.ask(
                        "INSERT INTO sample (id, number) SELECT id, number FROM {rows} r WHERE true RETURNING id",
                        rows: row(-1)
                    ) { $0.isNull(0) }
                    if isAwaited { _ = try refused.answer() }
                }
                #expect(error?.isConstraint == true)
                expectEqual(try await database.numbers(), [])
            }
            try await database.write { try $0.insert(5) }
            expectEqual(try await database.numbers(), [5])
        },
        ContractCheck("A body's own failure leaves questions behind that disturb nobody") { database in
            await #expect(throws: Refusal.self) {
                try await database.write { transaction in
                    _ = try asked(in: transaction)
                    throw Refusal(reason: "the body gives up")
                }
            }
            try await database.write { try $0.insert(1) }
            let found = try await database.read { transaction in
                let question = try asked(in: transaction)
                _ = try asked(in: transaction)
                return try question.answer()
            }
            #expect(found == [1])
            expectEqual(try await database.numbers(), [1])
        },
        ContractCheck("A question without a batch is answered too, whole or by its first row, in reads as in writes") {
            database in
            try await database.write { transaction in
                try transaction.insert(1)
                try transaction.insert(2)
            }
            @Sendable func questions(in transaction: any Transaction) throws -> [[Int64]] {
                func ask(_ condition: String) throws -> Asked<Int64> {
                    try transaction.ask(
                        Statement(composed: "SELECT number FROM sample WHERE \(condition) $1 ORDER BY number"),
                        [.int(1)]
                    ) { $0.int(0) }
                }
                let (all, first, none) = (try ask("number >="), try ask("number >="), try ask("number <"))
                return [try all.answer(), try first.first().map { [$0] } ?? [], try none.first().map { [$0] } ?? []]
            }
            let written = try await database.write { try questions(in: $0) }
            let read = try await database.read { try questions(in: $0) }
            #expect(written == [[1, 2], [1], []] && read == written)
        },
        ContractCheck("A question over an empty batch asks nothing and answers nothing") { database in
            let before = database.statementCount
            let found = try await database.write { transaction in
                try transaction.ask("SELECT id FROM {rows} r", rows: RowBatch(["id": .uuid])) { $0.isNull(0) }.answer()
            }
            #expect(found.isEmpty && database.statementCount == before)
        },
    ]

    private static func row(_ number: Int) -> RowBatch {
        var rows = RowBatch(["id": .uuid, "number": .int])
        rows.append(key(number), .int(number))
        return rows
    }

    /// The numbers that are in the table by now.
    private static func asked(in transaction: any Transaction) throws -> Asked<Int64> {
        var rows = RowBatch(["least": .int])
        rows.append(.int(0))
        return try transaction.ask(
            "SELECT number FROM {rows} r JOIN sample s ON s.number > r.least ORDER BY number", rows: rows
        ) { $0.int(0) }
    }
}
