import Events
import Kernel
import Storage
import Webhooks

/// What was changed by whom, as it is read.
struct AuditEntry: Sendable {
    let id: ID<AuditRow>
    let user: UserID
    let role: String
    let apiKey: APIKeyID?
    let requestID: String
    let address: String?
    let action: String
    let resource: String
    let resourceID: String?
    let before: String?
    let after: String?
    let createdAt: Timestamp
}

/// The record of admin actions.
package struct AuditStore: Sendable {
    /// Longer than events are held: an audit asks for the last business year.
    package static let retentionDays: Int64 = 400

    struct Query: Sendable {
        var user: UserID?
        var action: String?
        var resource: String?
        var resourceID: String?
        var from: Timestamp?
        var to: Timestamp?
        var before: ID<AuditRow>?
        var limit: Int
    }

    let database: any Database
    let time: TimeSource

    package init(database: any Database, time: TimeSource) {
        self.database = database
        self.time = time
    }

    static func insert(
        _ id: ID<AuditRow>, _ call: AuditedCall, resource: String?, before: String?, after: String?, now: Timestamp,
        in transaction: any Transaction
    ) throws {
        let caller = call.principal
        // A caller with a token finds no key by its digest.
        try transaction.execute(
            """
            INSERT INTO audit (id, tenant_id, org_id, user_id, role, api_key_id, request_id, address, action, resource,
                resource_id, state_before, state_after, created_at)
            VALUES ($1, $2, $3, $4, $5, (SELECT id FROM api_key WHERE digest = $6), $7, $8, $9, $10, $11, $12, $13, $14)
            """,
            [
                .id(id), .id(caller.tenant), .id(caller.organisation), .id(caller.user), .text(caller.role.rawValue),
                .bytes(call.credential?.bytes ?? []), .text(call.requestID), .text(call.address), .text(call.action),
                .text(call.subject.rawValue), .text(resource), .text(before), .text(after), .time(now),
            ])
    }

    /// Newest first.
    func list(_ query: Query, scope: Scope) async throws -> [AuditEntry] {
        var filter = Filter("tenant_id = $1 AND org_id = $2", [.id(scope.tenant), .id(scope.organisation)])
        filter.narrow("user_id = $n", query.user.map { .id($0) })
        filter.narrow("action = $n", query.action.map { .text($0) })
        filter.narrow("resource = $n", query.resource.map { .text($0) })
        filter.narrow("resource_id = $n", query.resourceID.map { .text($0) })
        filter.narrow("created_at >= $n", query.from.map { .time($0) })
        filter.narrow("created_at < $n", query.to.map { .time($0) })
        filter.narrow("id < $n", query.before.map { .id($0) })
        let statement = Statement(
            composed: """
                SELECT id, user_id, role, api_key_id, request_id, address, action, resource, resource_id, state_before,
                    state_after, created_at
                FROM audit WHERE \(filter.condition) ORDER BY id DESC LIMIT \(query.limit)
                """)
        let arguments = filter.arguments
        return try await database.read { transaction in
            try transaction.all(statement, arguments) { row in
                AuditEntry(
                    id: row.id(0), user: row.id(1), role: row.text(2), apiKey: row.idOrNil(3), requestID: row.text(4),
                    address: row.textOrNil(5), action: row.text(6), resource: row.text(7),
                    resourceID: row.textOrNil(8), before: row.textOrNil(9), after: row.textOrNil(10),
                    createdAt: row.time(11))
            }
        }
    }

    /// Removes up to `limit` entries that are over their time, and says how many.
    package func removeExpired(limit: Int) async throws -> Int {
        let first = ID<AuditRow>(from: time.now() - .seconds(86_400 * Self.retentionDays))
        return try await database.write(.background) { transaction in
            try transaction.executeCounting(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)",
                [.id(first), .int(limit)])
        }
    }
}
