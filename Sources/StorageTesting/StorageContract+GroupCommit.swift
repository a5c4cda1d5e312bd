import Dispatch
import Storage
import Testing
import TestSupport

extension StorageContract {
    static let groupChecks = [
        ContractCheck("Every caller of a group commit gets the outcome of its own item") { database in
            let committer = numberCommitter(database)
            let outcomes = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for number in 0..<500 { group.addTask { (number, try await committer.submit(number)) } }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(outcomes.count == 500)
            #expect(outcomes.allSatisfy { $0.value == $0.key * 2 })
            expectEqual(try await database.numbers(), (0..<500).map { Int64($0) })
            #expect(committer.waitingCount == 0)
        },
        ContractCheck("With several commits at once, each item is in one of them") { database in
            let committer = numberCommitter(database, commitsMost: 2, fullCommitsMost: 4)
            let outcomes = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for number in 0..<500 { group.addTask { (number, try await committer.submit(number)) } }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(outcomes.count == 500 && outcomes.allSatisfy { $0.value == $0.key * 2 })
            expectEqual(try await database.numbers(), (0..<500).map { Int64($0) })
            await #expect(throws: StorageError.self) { _ = try await committer.submit(13) }
            expectEqual(try await committer.submit(500), 1000)
        },
        ContractCheck("A batch that fails tells each of its callers and stops nobody behind it") { database in
            let committer = numberCommitter(database)
            try await database.write { try $0.insert(13) }
            let error = await #expect(throws: StorageError.self) { _ = try await committer.submit(13) }
            #expect(error?.isConstraint == true)
            expectEqual(try await committer.submit(14), 28)
            expectEqual(try await database.numbers(), [13, 14])
        },
        ContractCheck("More than may wait is refused at once, and the rest is served") { database in
            let (gate, entered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let committer = GroupCommitter<Int, Int>(
                database: database, lane: .intake, batchLimit: 2, waitingLimit: 3
            ) { transaction, items in
                entered.signal()
                gate.wait()
                for item in items { try transaction.insert(item) }
                return .init(items)
            }
            let (served, refused) = (Recorder<Int>(), Recorder<Int>())
            let (answers, answered) = AsyncStream.makeStream(of: Void.self)
            @Sendable func submit(_ number: Int) {
                committer.submit(number) { result in
                    switch result {
                    case .success: served.record(number)
                    case .failure: refused.record(number)
                    }
                    answered.yield()
                }
            }
            submit(0)
            // The first is inside its commit from here on: what follows can only wait.
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    entered.wait()
                    continuation.resume()
                }
            }
            for number in 1...5 { submit(number) }
            #expect(refused.elements == [4, 5])
            #expect(served.elements == [])
            for _ in 0..<3 { gate.signal() }
            var left = 6
            for await _ in answers {
                left -= 1
                if left == 0 { break }
            }
            #expect(served.elements == [0, 1, 2, 3])
            #expect(refused.elements == [4, 5])
            expectEqual(try await database.numbers(), [0, 1, 2, 3])
        },
    ]

    private static func numberCommitter(
        _ database: any Database, commitsMost: Int = 1, fullCommitsMost: Int = 1
    ) -> GroupCommitter<Int, Int> {
        GroupCommitter(
            database: database, lane: .intake, batchLimit: 64, waitingLimit: 10_000, commitsMost: commitsMost,
            fullCommitsMost: fullCommitsMost
        ) { transaction, items in
            var rows = RowBatch(["id": .uuid, "number": .int])
            for item in items { rows.append(key(item), .int(item)) }
            try transaction.execute(
                "INSERT INTO sample (id, number) SELECT id, number FROM {rows} r WHERE true", rows: rows)
            return .init(items.map { $0 * 2 })
        }
    }
}
