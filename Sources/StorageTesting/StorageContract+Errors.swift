import Storage
import Testing

extension StorageContract {
    static let errorChecks = [
        ContractCheck("Each kind of broken rule is a constraint error that names the rule or the columns") { database in
            try await database.write { try $0.insert(1, label: "one") }
            let bodies: [(word: String, body: @Sendable (any Transaction) throws -> Void)] = [
                ("sample", { try $0.insert(1) }),
                ("label", { try $0.insert(2, label: "one") }),
                ("number", { try $0.insert(-1) }),
                ("label", { try $0.execute("INSERT INTO counted (label) VALUES ($1)", [.null]) }),
                ("", { try $0.execute("INSERT INTO part (sample_id, position) VALUES ($1, 1)", [key(99)]) }),
            ]
            for (word, body) in bodies {
                let error = await database.failure(of: body)
                guard case .constraint(let name) = error?.code else {
                    Issue.record("\(word): \(error.map { "\($0)" } ?? "none")")
                    continue
                }
                #expect(name.contains(word) && !name.isEmpty)
            }
            expectEqual(try await database.numbers(), [1])
        },
        ContractCheck("A statement's failure fails the write, even when its body goes on regardless") { database in
            try await database.write { try $0.insert(1) }
            let error = await database.failure { transaction in
                try transaction.insert(2)
                let inner = #expect(throws: StorageError.self) {
                    try transaction.executeCounting(
                        "INSERT INTO sample (id, number) VALUES ($1, $2)", [key(1), .int(1)])
                }
                #expect(inner?.isConstraint == true)
            }
            #expect(error?.isConstraint == true)
            expectEqual(try await database.numbers(), [1])
        },
        ContractCheck("What nobody waited for fails the write that it belongs to, and no other") { database in
            try await database.write { try $0.insert(1) }
            // An engine may answer the second of these only with the third, with the commit, or not at all where the
            // body gives up by itself.
            let bodies: [@Sendable (any Transaction) throws -> Void] = [
                { transaction in
                    try transaction.insert(2)
                    try transaction.insert(1)
                },
                { transaction in
                    try transaction.insert(2)
                    try transaction.insert(1)
                    _ = try transaction.first("SELECT count(*) FROM sample") { $0.int(0) }
                },
                { transaction in
                    try transaction.insert(2)
                    try transaction.insert(1)
                    try transaction.insert(3)
                },
            ]
            for body in bodies {
                #expect(await database.failure(of: body)?.isConstraint == true)
                expectEqual(try await database.numbers(), [1])
            }
            struct GivenUp: Error {}
            await #expect(throws: (any Error).self) {
                try await database.write { transaction -> Void in
                    try transaction.insert(2)
                    try transaction.insert(1)
                    throw GivenUp()
                }
            }
            try await database.write { try $0.insert(3) }
            expectEqual(try await database.numbers(), [1, 3])
        },
        ContractCheck("Wrong statements are misuse, and the engine goes on behind them") { database in
            let bodies: [@Sendable (any Transaction) throws -> Void] = [
                { try $0.execute("SELECT 1 FROM no_such_table") },
                { try $0.execute("SELEKT") },
                { try $0.execute("INSERT INTO counted (label) VALUES ($1)") },
                { try $0.execute("INSERT INTO counted (label) VALUES ($1)", [.text("a"), .text("b")]) },
                { try $0.execute("INSERT INTO sample (id, number) VALUES ($1, $2)", [key(1), .text("one")]) },
            ]
            for body in bodies { #expect(await database.failure(of: body)?.code == .misuse) }
            try await database.write { try $0.insert(1) }
            expectEqual(try await database.numbers(), [1])
        },
        ContractCheck("Reading a column as another kind than it holds is misuse, not a made-up value") { database in
            try await database.write { try $0.insert(1, label: "one") }
            let bodies: [@Sendable (any Transaction) throws -> Void] = [
                { _ = try $0.first("SELECT label FROM sample") { $0.int(0) } },
                { _ = try $0.first("SELECT number FROM sample") { $0.text(0) } },
                { _ = try $0.first("SELECT number FROM sample") { $0.uuid(0) } },
                { _ = try $0.first("SELECT body FROM sample") { $0.bytes(0) } },
            ]
            for body in bodies { #expect(await database.failure(of: body)?.code == .misuse) }
        },
        ContractCheck("A write inside a read is refused") { database in
            let error = await #expect(throws: StorageError.self) { try await database.read { try $0.insert(1) } }
            #expect(error?.code == .misuse)
            expectEqual(try await database.numbers(), [])
        },
        ContractCheck("Text with a NUL is refused, as no engine but SQLite could keep it") { database in
            #expect(await database.failure { try $0.insert(1, label: "a\0b") }?.code == .misuse)
        },
    ]
}
