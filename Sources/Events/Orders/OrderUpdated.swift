import Kernel

/// Something about a stored order is different now; `changed` names the fields.
package struct OrderUpdated: EventType {
    package static let name = "order.updated"
    package static let summary = "An order's status, lines or details changed."
    package static let fields = OrderPayload.Field.order + [OrderPayload.Field.changed]
    package static let example = OrderUpdated(order: .example, changed: ["status"])

    package let order: OrderPayload
    package let changed: [String]

    package init(order: OrderPayload, changed: [String]) {
        self.order = order
        self.changed = changed
    }

    package var entityID: ID<DomainEvent.Entity> { order.id }

    package func write(_ writer: inout PayloadWriter) {
        order.write(&writer)
        writer.field(OrderPayload.Field.changed, changed)
    }
}
