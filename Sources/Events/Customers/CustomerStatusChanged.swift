import Kernel

/// A customer is in another status than before.
package struct CustomerStatusChanged: EventType {
    package static let name = "customer.status_changed"
    package static let summary = "A customer's status was changed."
    package static let fields = CustomerPayload.Field.customer + [Field.oldStatus]
    package static let example = CustomerStatusChanged(customer: .example, oldStatus: "at_risk")

    /// The customer with its new status.
    package let customer: CustomerPayload
    package let oldStatus: String

    package init(customer: CustomerPayload, oldStatus: String) {
        self.customer = customer
        self.oldStatus = oldStatus
    }

    package var entityID: ID<DomainEvent.Entity> { customer.id }

    package func write(_ writer: inout PayloadWriter) {
        customer.write(&writer)
        writer.field(Field.oldStatus, oldStatus)
    }

    enum Field {
        static let oldStatus = EventField("old_status", .public, .text, "The status before.")
    }
}
