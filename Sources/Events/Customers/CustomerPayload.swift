import Kernel

/// What events tell of a customer. Who a company is leaves; a person's name and all ways to reach either do not.
package struct CustomerPayload: Sendable {
    package var id: ID<DomainEvent.Entity>
    /// `individual` or `business`.
    package var type: String
    package var status: String
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var externalID: String?
    package var segment: String?
    package var companyName: String?
    /// The user who looks after the customer.
    package var assignedTo: UserID?
    package var personName: String?
    package var email: String?
    package var phone: String?
    package var address: String?
    package var lifetimeValue: Money?
    package var notes: String?

    package init(
        id: ID<DomainEvent.Entity>, type: String, status: String, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.type = type
        self.status = status
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    func write(_ writer: inout PayloadWriter) {
        writer.field(Field.id, id)
        writer.field(Field.externalID, externalID)
        writer.field(Field.type, type)
        writer.field(Field.status, status)
        writer.field(Field.segment, segment)
        writer.field(Field.companyName, companyName)
        writer.field(Field.assignedTo, assignedTo)
        writer.field(Field.createdAt, createdAt)
        writer.field(Field.updatedAt, updatedAt)
        if let personName { writer.field(Field.personName, personName) }
        if let email { writer.field(Field.email, email) }
        if let phone { writer.field(Field.phone, phone) }
        if let address { writer.field(Field.address, address) }
        if let lifetimeValue { writer.field(Field.lifetimeValue, lifetimeValue) }
        if let notes { writer.field(Field.notes, notes) }
    }

    /// The fields of a customer in a payload, with their privacy classes.
    enum Field {
        static let id = EventField("customer_id", .public, .uuid, "Our id of the customer.")
        static let externalID = EventField(
            "external_id", .public, .text, "The id in the system it came from.", .nullable)
        static let type = EventField("type", .public, .text, "individual or business.")
        static let status = EventField(
            "status", .public, .text, "active, inactive, churned, at_risk or suspended.")
        static let segment = EventField("segment", .public, .text, "The segment it was put in.", .nullable)
        static let companyName = EventField(
            "company_name", .public, .text, "A business's name; null for an individual.", .nullable)
        static let assignedTo = EventField(
            "assigned_to", .public, .uuid, "The user who looks after it; null for nobody.", .nullable)
        static let createdAt = EventField("created_at", .public, .time, "When it was created here.")
        static let updatedAt = EventField("updated_at", .public, .time, "When it last changed here.")
        static let personName = EventField("name", .confidential, .text, "A person's name.", .optional)
        static let email = EventField("email", .confidential, .text, "E-mail address.", .optional)
        static let phone = EventField("phone", .confidential, .text, "Telephone number.", .optional)
        static let address = EventField("address", .confidential, .text, "Postal address.", .optional)
        static let lifetimeValue = EventField(
            "lifetime_value", .confidential, .decimal, "What it has spent so far.", .optional)
        static let notes = EventField("notes", .confidential, .text, "What people wrote about it.", .optional)

        static let customer = [
            id, externalID, type, status, segment, companyName, assignedTo, createdAt, updatedAt, personName, email,
            phone, address, lifetimeValue, notes,
        ]
    }

    static let example: CustomerPayload = {
        var customer = CustomerPayload(
            id: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0005), type: "business", status: "active",
            createdAt: Timestamp(milliseconds: 1_733_326_326_998),
            updatedAt: Timestamp(milliseconds: 1_733_326_327_412))
        customer.externalID = "C-1001"
        customer.segment = "smb"
        customer.companyName = "Example Trading"
        customer.assignedTo = ID(high: 0xC9A1_E847_2F3D_4C10, low: 0xB8E5_0A7D_6F21_9ABC)
        customer.personName = "Ann Guest"
        customer.email = "ann@example.test"
        customer.phone = "+1 202 555 0143"
        customer.address = "1 Harbour Street, Portsmouth"
        customer.lifetimeValue = Money(minorUnits: 1_204_550, currency: .usd)
        customer.notes = "Prefers a call before noon."
        return customer
    }()
}
