import Kernel
import Storage

/// A kind of thing whose changes are on record, and what of its row is shown there. Columns that are not named stay
/// out: sealed secrets, header values, contact data.
enum AuditSubject: String, Sendable, CaseIterable {
    case apiKey = "api_key"
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
    }

    /// Nil for what has no row to show: that it happened is all that may be told.
    var table: Table? {
        switch self {
        case .event, .inboundSecret, .subscriptionSecret: nil
        case .apiKey:
            Table(
                name: "api_key", key: .id,
                columns: [("label", .text), ("role", .text), ("user_id", .uuid), ("revoked_at", .time)])
        case .connection:
            Table(
                name: "connection", key: .id,
                columns: [("external_id", .text), ("provider", .text), ("category", .text), ("status", .text)])
        case .customer:
            Table(name: "customer", key: .path, columns: [("kind", .text), ("status", .text), ("erased_at", .time)])
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
        case .replay, .subscription, .webhookSettings: webhookTable
        }
    }

    private var webhookTable: Table? {
        switch self {
        case .replay:
            Table(
                name: "replay", key: .id,
                columns: [
                    ("subscription_id", .uuid), ("since", .time), ("until", .time), ("event_types", .text),
                    ("selection", .text), ("rate", .number), ("state", .text), ("total", .number),
                ])
        case .subscription:
            Table(
                name: "subscription", key: .id,
                columns: [
                    ("url", .text), ("event_types", .text), ("profile", .text), ("payload_mode", .text),
                    ("description", .text), ("signature", .text), ("retry", .text), ("rate_limit", .number),
                    ("max_in_flight", .number), ("is_ordered", .flag), ("filter", .text), ("status", .text),
                    ("status_reason", .text),
                ])
        case .webhookSettings:
            Table(
                name: "webhook_setting", key: .tenant,
                columns: [
                    ("retention_days", .number), ("max_subscriptions", .number), ("max_retry_attempts", .number),
                    ("backoff_schedule", .text), ("failure_threshold", .number), ("failure_window", .number),
                    ("min_deliveries_for_disable", .number),
                ])
        default: nil
        }
    }
}

extension AuditSubject.Table {
    /// The row's named columns as one JSON object; nil where there is no row.
    func state(_ condition: String, _ arguments: [SQLValue], in transaction: any Transaction) throws -> String? {
        let names = columns.map(\.name).joined(separator: ", ")
        let statement = Statement(composed: "SELECT \(names) FROM \(name) WHERE \(condition)")
        return try transaction.first(statement, arguments) { row in
            let bytes = JSONWriter.object { writer in
                for (index, column) in columns.enumerated() { write(column.name, column.kind, row, index, &writer) }
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
