import Durable
import Events
import Kernel
import Storage

/// One entry of the inbound log.
package struct InboxSummary: Sendable {
    package let id: InboxID
    package let event: String
    /// queued, processed, ignored, stale or parked.
    package let state: String
    package let reason: String?
    package let order: ID<WorkflowResult>?
    package let receivedAt: Timestamp
    /// The delivery's bytes as they came, for those who may see them.
    package let body: [UInt8]?
}

/// The inbound log of a connection: what came, and what became of it.
package struct InboxService: Sendable {
    private let database: any Database
    private let connections: ConnectionService
    private let workflows: WorkflowService

    package init(database: any Database, connections: ConnectionService, workflows: WorkflowService) {
        self.database = database
        self.connections = connections
        self.workflows = workflows
    }

    /// Entries of a connection, newest first.
    package func list(
        _ connection: ConnectionID, scope: Scope, before: InboxID?, limit: Int, withBodies: Bool
    ) async throws -> [InboxSummary] {
        _ = try await connections.require(connection, scope: scope)
        let last = InboxID(high: .max, low: .max)
        return try await database.read { transaction in
            try transaction.all(
                """
                SELECT i.id, i.event, i.disposition, i.reason, i.received_at, w.state, w.outcome, w.reason,
                    w.result_id, i.body
                FROM inbox i LEFT JOIN workflow w ON w.id = i.id
                WHERE i.connection_id = $1 AND i.tenant_id = $2 AND i.id < $3 ORDER BY i.id DESC LIMIT $4
                """, [.id(connection), .id(scope.tenant), .id(before ?? last), .int(limit)]
            ) { row in
                InboxSummary(
                    id: row.id(0), event: row.text(1),
                    state: Self.state(
                        disposition: row.text(2), workflow: row.textOrNil(5), outcome: row.textOrNil(6)),
                    reason: row.textOrNil(3) ?? row.textOrNil(7), order: row.idOrNil(8), receivedAt: row.time(4),
                    body: withBodies ? row.bytes(9) : nil)
            }
        }
    }

    private static func state(disposition: String, workflow: String?, outcome: String?) -> String {
        switch (workflow, outcome) {
        case _ where disposition == "ignored": "ignored"
        case ("completed", "stale"): "stale"
        case ("completed", _): "processed"
        case ("dead", _): "parked"
        default: "queued"
        }
    }

    /// Processes an entry again, after a mapping was mended or a product was made.
    package func retry(_ id: InboxID, of connection: ConnectionID, scope: Scope) async throws {
        _ = try await connections.require(connection, scope: scope)
        let disposition = try await database.read { transaction in
            try transaction.first(
                "SELECT disposition FROM inbox WHERE id = $1 AND connection_id = $2 AND tenant_id = $3",
                [.id(id), .id(connection), .id(scope.tenant)]
            ) { $0.text(0) }
        }
        guard let disposition else { throw Refusal.notFound("inbox entry") }
        guard disposition != "ignored" else {
            throw Refusal.conflict("The entry is of a kind that nothing follows from.")
        }
        try await workflows.retry(id.cast(), tenant: scope.tenant, organisation: scope.organisation)
    }
}
