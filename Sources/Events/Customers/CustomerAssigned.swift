import Kernel

/// Somebody else looks after a customer now.
package struct CustomerAssigned: EventType {
    package static let name = "customer.assigned"
    package static let summary = "A customer was assigned to another representative."
    package static let fields = CustomerPayload.Field.customer + [Field.before]
    package static let example = CustomerAssigned(customer: .example, before: nil)

    /// The customer with its new representative.
    package let customer: CustomerPayload
    package let before: UserID?

    package init(customer: CustomerPayload, before: UserID?) {
        self.customer = customer
        self.before = before
    }

    package var entityID: ID<DomainEvent.Entity> { customer.id }

    package func write(_ writer: inout PayloadWriter) {
        customer.write(&writer)
        writer.field(Field.before, before)
    }

    enum Field {
        static let before = EventField(
            "previously_assigned_to", .public, .uuid, "The user who looked after it; null for nobody.", .nullable)
    }
}
