import Commerce
import Events
import Kernel

/// How far the erasure of one customer has come, as its workflow keeps it between two transactions.
struct ErasurePosition: Sendable, Equatable {
    enum Phase: String, Sendable {
        /// The buyers of the orders and the notes on them.
        case orders
        /// The events about the customer and the orders, with the answers to them.
        case events
        /// The bodies of the inbound deliveries.
        case inbox
        /// The orders once more: an import that ran meanwhile may have brought one.
        case look
        case done
    }

    var phase = Phase.orders
    var order = OrderID.zero
    var event = EventID.zero
    var connection = ID<OrderSource>.zero
    var entry = InboxID.zero
    var orders: Int64 = 0
    var events: Int64 = 0
    var entries: Int64 = 0

    /// Goes on with another part, from its beginning.
    mutating func begin(_ next: Phase) {
        phase = next
        (order, event, connection, entry) = (.zero, .zero, .zero, .zero)
    }

    // MARK: In the workflow's row

    init() {}

    /// Reads what `bytes` wrote; nil for anything else.
    init?(_ bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes),
            let phase = json["phase"]?.string.flatMap({ Phase(rawValue: $0) })
        else { return nil }
        func id<Kind>(_ name: String) -> ID<Kind> { json[name]?.string.flatMap { ID($0) } ?? .zero }
        self.phase = phase
        (order, event, connection, entry) = (id("order"), id("event"), id("connection"), id("entry"))
        orders = json["orders"]?.integer ?? 0
        events = json["events"]?.integer ?? 0
        entries = json["inbox_entries"]?.integer ?? 0
    }

    var bytes: [UInt8] {
        JSONWriter.object { writer in
            write(&writer)
            writer.field("order", order)
            writer.field("event", event)
            writer.field("connection", connection)
            writer.field("entry", entry)
        }
    }

    /// What callers are told.
    var progress: [UInt8] { JSONWriter.object(write) }

    private func write(_ writer: inout JSONWriter) {
        writer.field("phase", phase.rawValue)
        writer.field("orders", orders)
        writer.field("events", events)
        writer.field("inbox_entries", entries)
    }
}
