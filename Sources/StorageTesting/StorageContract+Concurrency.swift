import Dispatch
import Storage
import Testing

extension StorageContract {
    static let readingChecks = [
        ContractCheck("A read sees one state, also while writes land beside it") { database in
            try await database.write { try $0.insert(1) }
            let landed = DispatchSemaphore(value: 0)
            let counts = try await database.read { transaction in
                let before = try transaction.all("SELECT id FROM sample") { _ in 1 }.count
                // Another lane, as an engine may give each lane threads of its own.
                database.enqueue(
                    Work(lane: .background, isWrite: true, body: { try $0.insert(2) }) { _ in landed.signal() })
                let isLanded = landed.wait(timeout: .now() + 20) == .success
                let after = try transaction.all("SELECT id FROM sample") { _ in 1 }.count
                return [before, isLanded ? 1 : 0, after]
            }
            #expect(counts == [1, 1, 1])
            expectEqual(try await database.numbers(), [1, 2])
        },
        ContractCheck("A read behind a write that has returned sees it") { database in
            for number in 1...50 {
                try await database.write { try $0.insert(number) }
                expectEqual(try await database.numbers().count, number)
            }
        },
    ]

    static let concurrencyChecks = [
        ContractCheck("One failing write among many does not touch the others") { database in
            let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
                for number in 0..<90 {
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                try transaction.insert(number)
                                if number % 3 == 1 { throw Refusal(reason: "third") }
                                if number % 3 == 2 { try transaction.insert(-1) }
                            }
                            return (number, true)
                        } catch {
                            return (number, false)
                        }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for number in 0..<90 { #expect(outcomes[number] == (number % 3 == 0)) }
            expectEqual(try await database.numbers(), (0..<90).filter { $0 % 3 == 0 }.map { Int64($0) })
        },
        ContractCheck("Writes that meet on the same rows in opposite order all succeed in the end") { database in
            try await database.write { transaction in
                try transaction.insert(1)
                try transaction.insert(2)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for turn in 0..<20 {
                    group.addTask {
                        try await database.write(turn % 4 < 2 ? .interactive : .background) { transaction in
                            for id in turn % 2 == 0 ? [1, 2] : [2, 1] {
                                let add: Statement = "UPDATE sample SET number = number + 10 WHERE id = $1"
                                try transaction.execute(add, [key(id)])
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            expectEqual(try await database.numbers(), [201, 202])
        },
        ContractCheck("All lanes are served, however much waits in one of them") { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    let lane = Lane.allCases[number % 10 == 0 ? 1 : number % 10 == 1 ? 2 : 0]
                    group.addTask { try await database.write(lane) { try $0.insert(number) } }
                    group.addTask { try await database.read(lane) { try $0.execute("SELECT 1") } }
                }
                try await group.waitForAll()
            }
            expectEqual(try await database.numbers().count, 300)
        },
    ]
}
