import Kernel
import Storage
import TestSupport
import Testing

@Suite("A store for simulations")
struct SteppedStoreTests {
    private struct Refused: Error {}

    private static func insert(_ number: UInt64, _ database: any Database) async throws {
        try await database.write { transaction in
            try transaction.execute(
                "INSERT INTO tenant (id, created_at) VALUES ($1, now_ms())", [.uuid(high: 1, low: number)])
        }
    }

    private static func count(_ database: any Database) async throws -> Int64? {
        try await database.read { try $0.first("SELECT count(*) FROM tenant") { $0.int(0) } }
    }

    @Test("Whoever gets it finds nothing of the one before, and the clock at its beginning")
    func empty() async throws {
        for _ in 1...3 {
            try await SteppedStore.with { store in
                #expect(try await Self.count(store.database) == 0)
                #expect(store.time.now == ManualTime().now)
                store.time.advance(by: .seconds(5))
                try await Self.insert(1, store.database)
                let now = try await store.database.read {
                    try $0.first("SELECT created_at FROM tenant") { $0.time(0) }
                }
                #expect(now == ManualTime().now + .seconds(5))
            }
        }
    }

    @Test("Work that fails is undone alone, and answered before handing it over returns")
    func failing() async throws {
        try await SteppedStore.with { store in
            try await Self.insert(1, store.database)
            await #expect(throws: Refused.self) {
                try await store.database.write { transaction in
                    try transaction.execute("DELETE FROM tenant")
                    throw Refused()
                }
            }
            await #expect(throws: StorageError.self) { try await Self.insert(1, store.database) }
            try await Self.insert(2, store.database)
            #expect(try await Self.count(store.database) == 2)
            let answers = Recorder<Bool>()
            store.database.enqueue(
                Work(
                    lane: .interactive, isWrite: false, body: { _ in }, completion: { answers.record($0 == nil) }))
            #expect(answers.elements == [true])
        }
    }
}
