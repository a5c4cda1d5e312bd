import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("How claims find what is due", .endsWhenHung)
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

    /// Deliveries that wait for a later hour lie before those that wait for room, in the index of all deliveries by
    /// endpoint, and PostgreSQL knows of both kinds how many there are.
    @Test("PostgreSQL finds backlogs without walking over what waits for something else")
    func backlogs() async throws {
        try await withGatedHub(.postgres) { hub, _ in
            let tenant = TenantID(high: 9, low: 9)
            let claim = Claim(number: 7, duration: .seconds(60), now: hub.time.now)
            let (later, room) = (SubscriptionID(high: 1, low: 1), SubscriptionID(high: 1, low: 2))
            for (endpoint, held, count) in [(later, 0, 4000), (room, 1, 4000)] {
                try await hub.database.write { transaction in
                    try transaction.execute(
                        """
                        INSERT INTO delivery (
                            id, tenant_id, subscription_id, event_id, state, attempts, next_at, claim, created_at, held)
                        SELECT gen_random_uuid(), $1, $2, $1, 'pending', 1, now_ms() + 3600000, 0, now_ms(), $3
                        FROM generate_series(1, $4) n
                        """, [.id(tenant), .id(endpoint), .int(held), .int(count)])
                }
            }
            try await hub.database.write { try $0.execute("ANALYZE delivery") }

            let recorder = StatementRecorder(hub.database)
            try await recorder.write { transaction in
                let look = try DeliveryStore.look(backlogsAfter: .zero, limit: 10, in: transaction)
                #expect(look.backlogs.map(\.0) == [room])
                let fetches = [later, room].map {
                    DispatchState.Fetch(subscription: $0, tenant: tenant, limit: 5, news: 0)
                }
                let fetched = try DeliveryStore.fetch(fetches, .init(claim: claim, process: 7), in: transaction)
                #expect(fetched.ends.map(\.isEmptied) == [true, false])
                let inOrder = try DeliveryStore.fetchInOrder(of: room, limit: 5, claim, in: transaction)
                #expect(inOrder.found.count == 5)
            }
            let searches = recorder.recorded.filter { recorded in
                ["held = $1", "held = 1"].contains { recorded.statement.text.contains("state = 'pending' AND \($0)") }
            }
            #expect(Set(searches.map(\.statement.text)).count == 3)
            for search in searches {
                let plan = try await hub.database.write { try QueryPlan.run(search, in: $0) }
                let text = plan.lines.joined(separator: "\n")
                #expect(text.contains("using delivery_pending on delivery"), "\(text)")
                #expect(!text.contains("delivery_by_subscription"), "\(text)")
                // The end of the leaps is a row that leads nowhere.
                let walkedOver = plan.lines.filter {
                    $0.contains("Rows Removed") && !$0.hasSuffix(": 0") && !$0.hasSuffix(": 1")
                }
                #expect(walkedOver.isEmpty, "\(text)")
                // No other index may look as good to it, whatever its statistics say at the moment.
                let without = try await hub.database.write { transaction in
                    try transaction.execute("SAVEPOINT whole")
                    try transaction.execute("DROP INDEX delivery_pending")
                    let plan = try QueryPlan.run(search, in: transaction)
                    try transaction.execute("ROLLBACK TO SAVEPOINT whole")
                    return plan.lines.joined(separator: "\n")
                }
                #expect(without.contains("Sort Key"), "\(without)")
            }
        }
    }
}
