import Kernel

/// A customer came into the books, by hand or with an order.
package struct CustomerCreated: EventType {
    package static let name = "customer.created"
    package static let summary = "A new customer was created."
    package static let fields = CustomerPayload.Field.customer
    package static let example = CustomerCreated(customer: .example)

    package let customer: CustomerPayload

    package init(customer: CustomerPayload) { self.customer = customer }

    package var entityID: ID<DomainEvent.Entity> { customer.id }

    package func write(_ writer: inout PayloadWriter) { customer.write(&writer) }
}
