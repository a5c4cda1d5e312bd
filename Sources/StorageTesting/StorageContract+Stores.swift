import Kernel
import Storage
import Testing
import TestSupport

/// Checks that open a store more than once.
extension StorageContract {
    /// Migrations run once, in order; a server that comes later finds nothing left to do.
    package static func checkMigrations(_ store: TestStore) async throws {
        let first = try store.open()
        #expect(try await first.migrate() == Migration.all.map(\.number))
        #expect(try await first.migrate() == [])
        await first.shutdown()

        let second = try store.open()
        #expect(try await second.migrate() == [])
        let older = Array(Migration.all.dropLast())
        let error = await #expect(throws: StorageError.self) { _ = try await second.migrate(older) }
        #expect(error?.code == .misuse)
        await second.shutdown()
    }

    /// What was handed over before the end is done, what comes later is refused, and all of it is there afterwards.
    package static func checkShutdown(_ store: TestStore) async throws {
        let first = try store.open()
        _ = try await first.migrate(migrations)
        let (answers, answered) = AsyncStream.makeStream(of: Bool.self)
        for number in 0..<100 {
            first.enqueue(
                Work(lane: .background, isWrite: true, body: { try $0.insert(number) }) { answered.yield($0 == nil) })
        }
        await first.shutdown()
        var isDone: [Bool] = []
        for await answer in answers.prefix(100) { isDone.append(answer) }
        #expect(isDone.allSatisfy { $0 })

        for isWrite in [true, false] {
            let error = await #expect(throws: StorageError.self) {
                if isWrite { try await first.write { try $0.insert(500) } } else { _ = try await first.numbers() }
            }
            #expect(error?.code == .unavailable)
        }
        let committer = GroupCommitter<Int, Int>(
            database: first, lane: .intake, batchLimit: 8, waitingLimit: 8
        ) { .init($1) }
        let error = await #expect(throws: StorageError.self) { _ = try await committer.submit(1) }
        #expect(error?.code == .unavailable)
        await first.shutdown()

        let second = try store.open()
        #expect(try await second.numbers() == (0..<100).map { Int64($0) })
        await second.shutdown()
    }
}
