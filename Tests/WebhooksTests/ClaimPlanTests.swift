import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("How claims find what is due", .timeLimit(.minutes(15)))
struct ClaimPlanTests {
    @Test("What waits for a later time is not walked over", arguments: TestEngine.allCases)
    func plans(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            for _ in 0..<8 { _ = try await hub.subscribe() }
            // Leased, so that each waits for the end of its lease.
            try await hub.publish(250)
            if engine == .postgres { try await hub.database.write { try $0.execute("ANALYZE delivery") } }

            let recorder = StatementRecorder(hub.database)
            try await recorder.read { transaction in
                _ = try DeliveryStore.look(backlogsAfter: .zero, limit: 10, in: transaction)
            }
            try await recorder.write { _ = try DeliveryStore.due(limit: 10, in: $0) }
            let claims = recorder.recorded.filter { recorded in
                let text = recorded.statement.text
                return text.contains("FROM delivery {") && text.contains("next_at <= now_ms()")
            }
            #expect(claims.count == 2)
            for claim in claims {
                let plan = try await hub.database.write { try QueryPlan.ask(for: claim, in: $0) }
                let text = plan.lines.joined(separator: "\n")
                #expect(text.contains("delivery_due") && !text.contains("delivery_pending"), "\(text)")
                #expect(!text.contains("Sort") && !text.contains("TEMP B-TREE"), "\(text)")
            }
            gate.open()
        }
    }
}
