import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Integrations

/// PostgreSQL chooses by its statistics: where one connection has had nearly all deliveries, it takes every connection
/// for one of that kind.
@Suite("A quiet connection beside a loud one")
struct ConnectionPlanTests {
    private static let loud = 5000

    @Test("It is looked up without walking through what came for the other")
    func lookup() async throws {
        try await withDoor(.postgres) { door in
            let (loud, quiet) = (try await door.connect("loud"), try await door.connect("quiet"))
            try await door.database.write { transaction in
                try transaction.execute(
                    """
                    INSERT INTO inbox (id, tenant_id, org_id, connection_id, connector, event, disposition, received_at,
                        body)
                    SELECT gen_random_uuid(), $1, $2, $3, 'unified', 'order.created', 'ignored', n, ''
                    FROM generate_series(1, $4) n
                    """,
                    [
                        .id(Door.scope.tenant), .id(Door.scope.organisation), .id(loud.id), .int(Self.loud),
                    ])
                try transaction.execute("ANALYZE inbox")
            }
            for (connection, wasHeard) in [(loud, true), (quiet, false)] {
                let recorder = StatementRecorder(door.database)
                let found = try await recorder.read { transaction in
                    try ConnectionStore.fetch(connection.id, in: transaction)
                }
                #expect((found?.lastReceivedAt != nil) == wasHeard)
                let statement = try #require(recorder.recorded.first)
                let plan = try await door.database.write { try QueryPlan.run(statement, in: $0) }
                let text = plan.lines.joined(separator: "\n")
                #expect(text.contains("inbox") && !text.contains("Removed by Filter"), "\(text)")
            }
        }
    }
}
