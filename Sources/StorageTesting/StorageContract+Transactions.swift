import Kernel
import Storage
import Testing

extension StorageContract {
    static let transactionChecks = [
        ContractCheck("A write that returns is there; one that throws leaves nothing behind") { database in
            try await database.write { try $0.insert(1) }
            let error = await #expect(throws: Refusal.self) {
                try await database.write { transaction in
                    try transaction.insert(2)
                    try transaction.insert(3)
                    throw Refusal(reason: "no")
                }
            }
            #expect(error == Refusal(reason: "no"))
            expectEqual(try await database.numbers(), [1])
        },
        ContractCheck("The result of a body reaches the caller") { database in
            let found = try await database.write { transaction in
                try transaction.insert(1, label: "one")
                return try transaction.first("SELECT label FROM sample WHERE id = $1", [key(1)]) { $0.text(0) }
            }
            #expect(found == "one")
        },
        ContractCheck("Each statement tells how many rows it changed or answered") { database in
            try await database.write { transaction in
                for number in 1...3 { try transaction.insert(number) }
                expectEqual(
                    try transaction.executeCounting("UPDATE sample SET label = NULL WHERE number > $1", [.int(1)]), 2)
                expectEqual(try transaction.executeCounting("UPDATE sample SET label = NULL WHERE number > 99"), 0)
                expectEqual(try transaction.executeCounting("SELECT id FROM sample"), 3)
                expectEqual(try transaction.executeCounting("DELETE FROM sample WHERE number = 1 RETURNING id"), 1)
                expectEqual(try transaction.executeCounting("CREATE TABLE made (id {int} NOT NULL) {table}"), 0)
                expectEqual(try transaction.executeCounting("DELETE FROM sample"), 2)
            }
        },
        ContractCheck("A statement may be run for each row of another, also the same one") { database in
            try await database.write { transaction in
                for number in 1...3 { try transaction.insert(number, label: "label \(number)") }
            }
            let seen = try await database.read { transaction in
                try transaction.all("SELECT id, label FROM sample WHERE number < $1 ORDER BY number", [.int(4)]) {
                    row in
                    let inner = try transaction.all(
                        "SELECT id, label FROM sample WHERE number < $1 ORDER BY number", [.int(3)]
                    ) { $0.text(1) }
                    return "\(row.text(1)): \(inner.count)"
                }
            }
            #expect(seen == ["label 1: 2", "label 2: 2", "label 3: 2"])
        },
        ContractCheck("A transaction that is kept beyond its body refuses to run anything") { database in
            let kept = try await database.write { KeptTransaction($0) }
            let error = #expect(throws: StorageError.self) { try kept.transaction.execute("SELECT 1") }
            #expect(error?.code == .misuse)
        },
        ContractCheck("An identity column counts up and is returned") { database in
            let sequences = try await database.write { transaction in
                try ["a", "b", "c"].compactMap { label in
                    try transaction.first(
                        "INSERT INTO counted (label) VALUES ($1) RETURNING sequence", [.text(label)]
                    ) { $0.int(0) }
                }
            }
            #expect(sequences == [1, 2, 3])
        },
        ContractCheck("now_ms() answers the present") { database in
            let now = try await database.read { try $0.first("SELECT now_ms()") { $0.time(0) } }
            let difference = try #require(now) - TimeSource.system.now()
            #expect(abs(difference.wholeMilliseconds) < 10_000)
        },
        ContractCheck("Statements are counted") { database in
            let before = database.statementCount
            try await database.write { try $0.insert(1) }
            _ = try await database.numbers()
            #expect(database.statementCount - before == 2)
        },
        ContractCheck("The report names the engine and shows no warning that would need a human") { database in
            let report = try await database.report()
            #expect(!report.engine.isEmpty && !report.version.isEmpty && !report.settings.isEmpty)
            #expect(!report.warnings.contains { $0.contains("may be lost") })
        },
    ]
}

/// Smuggles a transaction out of its body, which is what the check forbids.
private final class KeptTransaction: @unchecked Sendable {
    let transaction: any Transaction
    init(_ transaction: any Transaction) { self.transaction = transaction }
}
