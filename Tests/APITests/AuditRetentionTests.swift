import Kernel
import Storage
import TestSupport
import Testing

@testable import API

@Suite("How long admin actions are on record")
struct AuditRetentionTests {
    @Test("A row stays for 400 days, and goes a bite at a time after them", arguments: TestEngine.allCases)
    func retention(_ engine: TestEngine) async throws {
        let time = ManualTime()
        try await withDatabase(engine, time: time) { database in
            let store = AuditStore(database: database, time: time.source)
            let ids = IDGenerator(time: time.source, random: SeededRandom(seed: 1))
            for number in 1...3 { try await note("call-\(number)", ids.next(), at: time.now, in: database) }
            time.advance(by: .seconds(86_400))
            try await note("late", ids.next(), at: time.now, in: database)

            time.advance(by: .seconds(399 * 86_400))
            #expect(try await store.removeExpired(limit: 10) == 0)
            #expect(try await requests(store) == ["late", "call-3", "call-2", "call-1"])
            time.advance(by: .milliseconds(10))
            #expect(try await store.removeExpired(limit: 2) == 2)
            #expect(try await requests(store) == ["late", "call-3"])
            #expect(try await store.removeExpired(limit: 2) == 1)
            #expect(try await store.removeExpired(limit: 2) == 0)
            #expect(try await requests(store) == ["late"])
        }
    }

    private func note(
        _ request: String, _ id: ID<AuditRow>, at now: Timestamp, in database: any Database
    ) async throws {
        let call = AuditedCall(
            principal: APIHarness.principal(), credential: nil, requestID: request, address: nil, action: "testAction",
            subject: .location, pathID: nil)
        try await database.write { transaction in
            try AuditStore.insert(
                id, call, resource: nil, before: nil, after: nil, now: now, in: transaction)
        }
    }

    private func requests(_ store: AuditStore) async throws -> [String] {
        try await store.list(AuditStore.Query(limit: 100), scope: APIHarness.principal().scope).map(\.requestID)
    }
}
