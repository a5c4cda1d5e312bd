import Commerce
import Kernel

enum CustomerOperations {
    private static let root = "/api/v1/crm/customers"

    static let group = OperationGroup(
        name: "Customers", summary: "Who buys.",
        schemas: [
            "Customer": .object(customer(isOne: false)), "CustomerDetail": .object(detail),
            "CustomerErasure": .object(detail, ["workflow_id": .uuid.saying("Tells how far it has come.")]),
        ],
        operations: [
            .get(root, "listCustomers", "Customers, found by words, address or state.")
                .asking([
                    "q?": .text, "email?": .text, "type?": .choice(Customer.Kind.self),
                    "status?": .choice(Customer.Status.self), "assigned_to?": .uuid, "updated_since?": .time,
                ]).paged(.named("Customer")),
            .get("\(root)/{id}", "readCustomer", "One customer, with its likely duplicates.").tagged()
                .answering(200, .named("CustomerDetail")),
            .post(root, "createCustomer", "Makes a customer.")
                .taking(
                    .request(new, change),
                    example: #"{"type": "individual", "first_name": "Ada", "email": "ada@example.com"}"#
                ).once().tagged().answering(201, .named("CustomerDetail")),
            .patch("\(root)/{id}", "changeCustomer", "Changes what is named; null empties a field.")
                .audited(.customer)
                .taking(.request(change), example: #"{"phone": "+1 555 0100"}"#).versioned()
                .answering(200, .named("CustomerDetail")),
            .post("\(root)/{id}/status", "setCustomerStatus", "Moves a customer to another status.")
                .taking(.request(["status": .choice(Customer.Status.self)]), example: #"{"status": "at_risk"}"#)
                .versioned().answering(200, .named("CustomerDetail")),
            .post("\(root)/{id}/assign", "assignCustomer", "Says who looks after a customer; null is nobody.")
                .taking(.object(["user_id": .uuid.orNull]), example: #"{"user_id": null}"#)
                .versioned().answering(200, .named("CustomerDetail")),
            .delete("\(root)/{id}", "deleteCustomer", "Deletes a customer.").versioned().audited(.customer),
            .post("\(root)/{id}/erase", "eraseCustomer", "Empties a customer, then what is kept of it.", .role(.admin))
                .audited(.customer)
                .failing(409).tagged().answering(202, .named("CustomerErasure")),
        ])

    private static let reference = Schema.object(["connection_id": .uuid, "external_id": .text])

    private static let address = Schema.request([
        "type?": .choice("billing", "shipping"), "name?": .text(upTo: 300), "line1?": .text(upTo: 300),
        "line2?": .text(upTo: 300), "city?": .text(upTo: 200), "region?": .text(upTo: 200),
        "postal_code?": .text(upTo: 40), "country": .text(1, upTo: 60).saying("Two letters of ISO 3166-1."),
    ])

    private static func customer(isOne: Bool) -> KeyValuePairs<String, Schema> {
        [
            "id": .uuid, "type": .choice(Customer.Kind.self), "status": .choice(Customer.Status.self),
            "first_name": .text.orNull, "last_name": .text.orNull, "company_name": .text.orNull,
            "email": .text.orNull, "phone": .text.orNull, "tags": .list(.text), "addresses": .list(address),
            "notes?": .text.saying("For members.").orNull,
            "lifetime_value?": Schema.amount.saying("For members.").orNull, "lifetime_currency?": .text.orNull,
            "assigned_to": .uuid.orNull, "references": .list(reference), "version": .integer, "created_at": .time,
            "updated_at": .time, "erased_at": .time.orNull,
            "duplicates\(isOne ? "" : "?")": .list(.uuid),
        ]
    }

    private static let detail = customer(isOne: true)

    private static let change: KeyValuePairs<String, Schema> = [
        "first_name?": .text(upTo: 200), "last_name?": .text(upTo: 200), "company_name?": .text(upTo: 300),
        "email?": .text(upTo: 254), "phone?": .text(upTo: 40), "notes?": .text(upTo: 20_000),
        "lifetime_value?": .givenAmount, "lifetime_currency?": .currency,
        "tags?": .list(.text(1, upTo: 100), upTo: Limits.customerTags),
        "addresses?": .list(address, upTo: Limits.customerAddresses),
    ]

    private static let new: KeyValuePairs<String, Schema> = [
        "type": .choice(Customer.Kind.self), "status?": .choice(Customer.Status.self),
    ]
}
