import Kernel
import Storage
import TestSupport
import Testing

@testable import Durable

@Suite("Workflows as callers see them")
struct WorkflowServiceTests {
    private static let stranger = TenantID(high: 9, low: 9)

    private func service(_ bench: WorkflowBench) -> WorkflowService {
        WorkflowService(database: bench.database, runners: [:], time: bench.time.source)
    }

    private func require(_ bench: WorkflowBench, _ id: WorkflowID) async throws -> WorkflowSummary {
        try await service(bench).require(id, tenant: WorkflowBench.tenant, organisation: WorkflowBench.organisation)
    }

    @Test("A workflow shows its state, its next attempt and its steps", arguments: TestEngine.allCases)
    func summary(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin()[0]
            var summary = try await require(bench, begun.id)
            #expect(summary.state == "pending" && summary.kind == "test" && summary.nextAttemptAt == bench.time.now)
            let claim = try #require(try await bench.claim(4).first)
            summary = try await require(bench, begun.id)
            #expect(summary.state == "running" && summary.nextAttemptAt == nil)
            let step = WorkflowStep(name: "look", output: Array("{}".utf8), recordedAt: bench.time.now)
            try await bench.database.write { try WorkflowStore.record(step, of: claim, in: $0) }
            let result = ID<WorkflowResult>(high: 4, low: 5)
            try await bench.settle(claim, .completed(outcome: "processed", reason: "why", result: result))
            summary = try await require(bench, begun.id)
            #expect(summary.state == "completed" && summary.outcome == "processed" && summary.reason == "why")
            #expect(summary.result == result && summary.steps == [step] && summary.nextAttemptAt == nil)
        }
    }

    @Test("Another tenant's or organisation's workflow does not exist", arguments: TestEngine.allCases)
    func strangers(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin()[0]
            let claim = try #require(try await bench.claim(4).first)
            try await bench.settle(claim, .dead(outcome: "parked", reason: "bad"))
            let service = service(bench)
            let owners = [
                (Self.stranger, WorkflowBench.organisation), (WorkflowBench.tenant, OrganisationID(high: 8, low: 8)),
            ]
            for (tenant, organisation) in owners {
                await #expect(throws: Refusal.notFound("workflow")) {
                    _ = try await service.require(begun.id, tenant: tenant, organisation: organisation)
                }
                await #expect(throws: Refusal.notFound("workflow")) {
                    try await service.retry(begun.id, tenant: tenant, organisation: organisation)
                }
                let dead = try await service.dead(tenant: tenant, organisation: organisation, after: nil, limit: 10)
                #expect(dead.isEmpty)
            }
            #expect(try await bench.state(begun.id)?.state == "dead")
        }
    }

    @Test("Dead workflows are listed oldest first and can be retried one by one", arguments: TestEngine.allCases)
    func deadLetters(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin(3)
            for claim in try await bench.claim(4) {
                try await bench.settle(claim, .dead(outcome: "parked", reason: "bad"))
            }
            let service = service(bench)
            func dead(after: WorkflowID?, limit: Int) async throws -> [WorkflowID] {
                try await service.dead(
                    tenant: WorkflowBench.tenant, organisation: WorkflowBench.organisation, after: after, limit: limit
                ).map(\.id)
            }
            #expect(try await dead(after: nil, limit: 2) == begun.prefix(2).map(\.id))
            #expect(try await dead(after: begun[1].id, limit: 2) == [begun[2].id])
            try await service.retry(
                begun[1].id, tenant: WorkflowBench.tenant, organisation: WorkflowBench.organisation)
            #expect(try await dead(after: nil, limit: 10) == [begun[0].id, begun[2].id])
            #expect(try await bench.claim(5).map(\.id) == [begun[1].id])
            await #expect {
                try await service.retry(
                    begun[1].id, tenant: WorkflowBench.tenant, organisation: WorkflowBench.organisation)
            } throws: { ($0 as? Refusal)?.kind == .conflict }
        }
    }
}
