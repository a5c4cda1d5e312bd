import Kernel
import Storage

/// A kind of thing whose changes are on record, and what of its row is shown there. Columns that are not named stay
/// out: sealed secrets, header values, contact data.
enum AuditSubject: String, Sendable, CaseIterable {
    case apiKey = "api_key"
    case category
    case collection
    case connection
    case customer
    case event
    case eventType = "event_type"
    case feedSettings = "feed_settings"
    case inboundSecret = "inbound_secret"
    case inventorySettings = "inventory_settings"
    case location
    case mapping
    case replay
    case subscription
    case subscriptionSecret = "subscription_secret"
    case webhookSettings = "webhook_settings"

    /// How a row is found.
    enum Key: Sendable {
        /// By the statement's first argument.
        case id
        /// By what the path names.
        case path
        case tenant
        case scope
        /// By the tenant and the statement's first text.
        case name
        /// By the connection of the path and the statement's first text.
        case item
        /// By what the path names, in this column; where it names nothing, the rows that belong to nobody there.
        case owner(String)
        /// By the statement's second argument and its first text: an entity's id and kind.
        case entity
    }

    /// What is told of the rows that are found.
    enum Summary: Sendable {
        /// The named columns of the one there is.
        case row
        /// Which secrets are live and how long yet; never what they are.
        case secrets
        /// How many events there are, and how many of them tell nothing any more.
        case events
    }

    enum Kind: Sendable {
        case text, number, flag, time, uuid
        /// Bytes of JSON.
        case json
    }

    struct Table: Sendable {
        let name: String
        let key: Key
        let columns: [(name: String, kind: Kind)]
        var summary = Summary.row
    }

    var table: Table {
        switch self {
        case .event: Table(name: "event", key: .entity, columns: [], summary: .events)
        case .inboundSecret:
            Table(name: "inbound_secret", key: .owner("connection_id"), columns: [], summary: .secrets)
        case .apiKey:
            Table(
                name: "api_key", key: .id,
                columns: [("label", .text), ("role", .text), ("user_id", .uuid), ("revoked_at", .time)])
        case .category:
            Table(
                name: "category", key: .id, columns: [("name", .text), ("parent_id", .uuid), ("position", .number)])
        case .collection: Self.collectionTable
        case .connection:
            Table(
                name: "connection", key: .id,
                columns: [("external_id", .text), ("provider", .text), ("category", .text), ("status", .text)])
        case .customer: Self.customerTable
        case .eventType:
            Table(
                name: "event_type", key: .name,
                columns: [("name", .text), ("summary", .text), ("schema", .json), ("version", .number)])
        case .feedSettings:
            Table(
                name: "catalogue_feed_setting", key: .scope,
                columns: [
                    ("seller_name", .text), ("seller_url", .text), ("product_url", .text), ("country", .text),
                ])
        case .inventorySettings:
            Table(
                name: "inventory_setting", key: .tenant,
                columns: [("allocation", .text), ("low_stock_threshold", .number)])
        case .location:
            Table(name: "location", key: .id, columns: [("name", .text), ("is_default", .flag)])
        case .mapping:
            Table(name: "variant_mapping", key: .item, columns: [("external_id", .text), ("variant_id", .uuid)])
        case .replay: Self.replayTable
        case .subscription: Self.subscriptionTable
        case .subscriptionSecret:
            Table(name: "subscription_secret", key: .owner("subscription_id"), columns: [], summary: .secrets)
        case .webhookSettings: Self.webhookTable
        }
    }

    /// The version tells of a change of the list of products, which is a table of its own, and of a long description.
    private static let collectionTable = Table(
        name: "collection", key: .id,
        columns: [("kind", .text), ("title", .text), ("handle", .text), ("rule", .json), ("version", .number)])

    /// What is changed most is contact data, of which nothing stays here: the version tells that it was.
    private static let customerTable = Table(
        name: "customer", key: .path,
        columns: [
            ("kind", .text), ("status", .text), ("version", .number), ("deleted_at", .time), ("erased_at", .time),
        ])

    private static let replayTable = Table(
        name: "replay", key: .id,
        columns: [
            ("subscription_id", .uuid), ("since", .time), ("until", .time), ("event_types", .text),
            ("selection", .text), ("rate", .number), ("state", .text), ("total", .number),
        ])

    private static let subscriptionTable = Table(
        name: "subscription", key: .id,
        columns: [
            ("url", .text), ("event_types", .text), ("profile", .text), ("payload_mode", .text),
            ("description", .text), ("signature", .text), ("retry", .text), ("rate_limit", .number),
            ("max_in_flight", .number), ("is_ordered", .flag), ("filter", .text), ("status", .text),
            ("status_reason", .text),
        ])

    private static let webhookTable = Table(
        name: "webhook_setting", key: .tenant,
        columns: [
            ("retention_days", .number), ("max_subscriptions", .number), ("max_retry_attempts", .number),
            ("backoff_schedule", .text), ("failure_threshold", .number), ("failure_window", .number),
            ("min_deliveries_for_disable", .number),
        ])
}

extension AuditSubject.Table {
    /// What is told of the rows that a condition finds, as one JSON object; nil where there is nothing to tell.
    func state(
        _ condition: String, _ arguments: [SQLValue], at now: Timestamp, in transaction: any Transaction
    ) throws -> String? {
        switch summary {
        case .row: try row(condition, arguments, in: transaction)
        case .secrets: try secrets(condition, arguments, at: now, in: transaction)
        case .events: try events(condition, arguments, in: transaction)
        }
    }

    private func row(
        _ condition: String, _ arguments: [SQLValue], in transaction: any Transaction
    ) throws -> String? {
        let names = columns.map(\.name).joined(separator: ", ")
        let statement = Statement(composed: "SELECT \(names) FROM \(name) WHERE \(condition)")
        return try transaction.first(statement, arguments) { row in
            let bytes = JSONWriter.object { writer in
                for (index, column) in columns.enumerated() { write(column.name, column.kind, row, index, &writer) }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The ids are those of rows: nothing of a secret can be told from them.
    private func secrets(
        _ condition: String, _ arguments: [SQLValue], at now: Timestamp, in transaction: any Transaction
    ) throws -> String? {
        let statement = Statement(
            composed: """
                SELECT id, created_at, expires_at FROM \(name)
                WHERE \(condition) AND (expires_at IS NULL OR expires_at > $\(arguments.count + 1)) ORDER BY id DESC
                """)
        let live = try transaction.all(statement, arguments + [.time(now)]) { row in
            (id: row.id(0, of: AuditSubject.self), made: row.time(1), end: row.timeOrNil(2))
        }
        if live.isEmpty { return nil }
        let bytes = JSONWriter.object { writer in
            writer.field("live_secrets", live.count)
            writer.arrayField("secrets") { writer in
                for secret in live {
                    writer.object { writer in
                        writer.field("id", secret.id)
                        writer.field("created_at", secret.made)
                        writer.field("expires_at", secret.end)
                    }
                }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func events(
        _ condition: String, _ arguments: [SQLValue], in transaction: any Transaction
    ) throws -> String? {
        // A tombstone begins as no payload of an event type does.
        let mark = Array(#"{"erased":true,"#.utf8)
        let statement = Statement(
            composed: """
                SELECT count(*), count(CASE WHEN substr(payload, 1, \(mark.count)) = $\(arguments.count + 1) THEN 1 END)
                FROM \(name) WHERE \(condition)
                """)
        return try transaction.first(statement, arguments + [.bytes(mark)]) { row in
            let bytes = JSONWriter.object { writer in
                writer.field("events", row.int(0))
                writer.field("erased", row.int(1))
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func write(
        _ name: String, _ kind: AuditSubject.Kind, _ row: any Row, _ index: Int, _ writer: inout JSONWriter
    ) {
        writer.key(name)
        if row.isNull(index) { return writer.null() }
        switch kind {
        case .text: writer.string(row.text(index))
        case .number: writer.integer(row.int(index))
        case .flag: writer.bool(row.flag(index))
        case .time: writer.string(row.time(index).description)
        case .uuid: writer.string(row.id(index, of: AuditSubject.self).description)
        case .json: writer.raw(row.bytes(index))
        }
    }
}
