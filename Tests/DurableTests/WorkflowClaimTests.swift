import Kernel
import Storage
import TestSupport
import Testing

@testable import Durable

@Suite("Claims and leases of workflows")
struct WorkflowClaimTests {
    @Test("What is born leased is nobody else's until the lease ends", arguments: TestEngine.allCases)
    func bornLeased(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let born = try await bench.begin(leasedTo: 5)[0]
            #expect(try await bench.claim(6).isEmpty)
            bench.time.advance(by: WorkflowStore.lease - .milliseconds(1))
            #expect(try await bench.claim(6).isEmpty)
            bench.time.advance(by: .milliseconds(1))
            let claimed = try await bench.claim(7)
            #expect(claimed.map(\.id) == [born.id])
            #expect(claimed.map(\.number) == [7])
            #expect(claimed.map(\.input) == [born.input])
            #expect(try await bench.claim(8).isEmpty)
        }
    }

    @Test("What nobody holds is due at once, the longest due first", arguments: TestEngine.allCases)
    func due(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let early = try await bench.begin(2)
            bench.time.advance(by: .milliseconds(1))
            let late = try await bench.begin(2)
            #expect(Set(try await bench.claim(1, limit: 2).map(\.id)) == Set(early.map(\.id)))
            #expect(Set(try await bench.claim(2, limit: 2).map(\.id)) == Set(late.map(\.id)))
        }
    }

    @Test("Claimers at the same time never share a workflow", arguments: TestEngine.allCases)
    func sharing(engine: TestEngine) async throws {
        let time = ManualTime()
        try await withStore(engine, time: time) { store in
            let first = try store.open()
            _ = try await first.migrate(time: time.source)
            let second = engine == .sqlite ? first : try store.open()
            let begun = try await WorkflowBench(first, time).begin(200)
            let claimed = try await withThrowingTaskGroup(of: [WorkflowID].self) { group in
                for number in 1...40 {
                    let bench = WorkflowBench(number % 2 == 0 ? first : second, time)
                    group.addTask { try await bench.claim(Int64(number), limit: 7).map(\.id) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            await second.shutdown()
            await first.shutdown()
            #expect(claimed.count == 200)
            #expect(Set(claimed) == Set(begun.map(\.id)))
        }
    }

    @Test("A late settlement shows an old number and changes nothing", arguments: TestEngine.allCases)
    func fencing(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let old = try await bench.begin(leasedTo: 5)[0]
            bench.time.advance(by: WorkflowStore.lease)
            let new = try #require(try await bench.claim(6).first)
            let before = try await bench.state(old.id)
            #expect(try await !bench.settle(old, .completed(outcome: "processed", reason: nil, result: nil)))
            #expect(try await !bench.settle(old, .dead(outcome: "parked", reason: "late")))
            #expect(try await bench.state(old.id) == before)
            #expect(try await bench.database.write { try WorkflowStore.held([old, new], in: $0).answer() } == [new.id])
            #expect(try await bench.database.write { try WorkflowStore.renew([old], in: $0) }.isEmpty)
            #expect(try await bench.settle(new, .completed(outcome: "processed", reason: nil, result: nil)))
            let after = try #require(try await bench.state(old.id))
            #expect(after.state == "completed" && after.outcome == "processed" && after.claim == 0)
            #expect(try await !bench.settle(new, .dead(outcome: "parked", reason: "twice")))
        }
    }

    @Test("A renewed claim has its whole lease again", arguments: TestEngine.allCases)
    func renewal(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let claim = try await bench.begin(leasedTo: 5)[0]
            for _ in 0..<8 {
                bench.time.advance(by: .seconds(50))
                #expect(try await bench.database.write { try WorkflowStore.renew([claim], in: $0) } == [claim.id])
            }
            bench.time.advance(by: .seconds(59))
            #expect(try await bench.claim(6).isEmpty)
            bench.time.advance(by: .seconds(1))
            #expect(try await bench.claim(6).count == 1)
        }
    }

    @Test("What crashed five claimers is put into quarantine", arguments: TestEngine.allCases, [nil, 99] as [Int64?])
    func quarantine(engine: TestEngine, bornTo: Int64?) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin(leasedTo: bornTo)[0]
            // Born leased is the first of the five.
            let others = bornTo == nil ? 5 : 4
            for number in 1...others {
                if bornTo != nil || number > 1 { bench.time.advance(by: WorkflowStore.lease) }
                #expect(try await bench.claim(Int64(number)).map(\.id) == [begun.id])
            }
            bench.time.advance(by: WorkflowStore.lease)
            let healthy = try await bench.begin()[0]
            #expect(try await bench.claim(50).map(\.id) == [healthy.id])
            let state = try #require(try await bench.state(begun.id))
            #expect(state.state == "dead" && state.outcome == "quarantined")
            #expect(state.reason?.contains("5 times") == true)
            #expect(state.updated == bench.time.now)
            bench.time.advance(by: WorkflowStore.lease)
            #expect(try await bench.claim(51).map(\.id) == [healthy.id])
        }
    }

    @Test("A recorded failure starts the count of crashes anew", arguments: TestEngine.allCases)
    func retried(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin()[0]
            for round in 1...8 {
                let claim = try #require(try await bench.claim(Int64(round)).first)
                #expect(claim.attempts == round - 1)
                let due = bench.time.now + .seconds(3)
                #expect(try await bench.settle(claim, .retry(at: due, reason: "no luck")))
                let state = try #require(try await bench.state(begun.id))
                #expect(state.state == "pending" && state.claims == 0 && state.due == due && state.attempts == round)
                #expect(state.reason == "no luck" && state.outcome == nil)
                bench.time.advance(by: .seconds(3))
            }
        }
    }

    @Test("A dead workflow can be restarted by its tenant, and by nobody else", arguments: TestEngine.allCases)
    func restart(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin(leasedTo: 5)[0]
            let now = bench.time.now
            func restart(_ tenant: TenantID) async throws -> Bool {
                try await bench.database.write { try WorkflowStore.restart(begun.id, tenant: tenant, now: now, in: $0) }
            }
            #expect(try await !restart(WorkflowBench.tenant))
            try await bench.settle(begun, .dead(outcome: "parked", reason: "bad"))
            #expect(try await !restart(TenantID(high: 9, low: 9)))
            #expect(try await bench.state(begun.id)?.state == "dead")
            #expect(try await restart(WorkflowBench.tenant))
            let claim = try #require(try await bench.claim(6).first)
            #expect(claim.id == begun.id && claim.attempts == 0)
        }
    }
}
