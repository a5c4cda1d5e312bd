import Kernel

/// An order was placed or imported.
package struct OrderCreated: EventType {
    package static let name = "order.created"
    package static let summary = "An order was placed or imported."
    package static let fields = OrderPayload.Field.order
    package static let example = OrderCreated(order: .example)

    package let order: OrderPayload

    package init(order: OrderPayload) { self.order = order }

    package var entityID: ID<DomainEvent.Entity> { order.id }

    package func write(_ writer: inout PayloadWriter) { order.write(&writer) }
}
