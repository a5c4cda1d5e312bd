import Kernel

/// What a caller gives for an order that it places itself.
package struct NewOrder: Sendable {
    package let idempotencyKey: String
    /// The order's id wherever it was made; the idempotency key where none is given.
    package let externalID: String?
    package let number: String?
    package let currency: Currency
    package let channel: String
    package let items: [OrderItem]
    package let shipping: Money
    /// Nil where the items' taxes are all there is.
    package let tax: Money?
    /// What the caller says that the order comes to. Where it differs from its parts the difference is recorded.
    package let total: Money?
    package let presentment: OrderSnapshot.Presentment?
    package let customer: OrderSnapshot.Customer
    /// One of our customers.
    package let customerID: CustomerID?
    package let tags: [String]
    package let note: String?

    package init(_ fields: FieldReader) {
        idempotencyKey = fields.requiredString("idempotency_key", upTo: 200)
        externalID = OrderItem.text(fields, "external_id")
        number = OrderItem.text(fields, "number")
        let given = fields.currency("currency")
        if fields.value("currency") == nil { fields.fault("currency", "is required") }
        // Reading goes on with some currency, so that the other fields' faults are told too.
        let currency = given ?? .usd
        self.currency = currency
        channel = fields.string("channel", upTo: 100) ?? "api"
        items = fields.objects("items", upTo: Limits.orderLines) { OrderItem($0, in: currency) } ?? []
        if items.isEmpty { fields.fault("items", "must have at least one item") }
        shipping = OrderItem.amount(fields, "shipping_total", currency) ?? .zero(currency)
        tax = OrderItem.amount(fields, "tax_total", currency)
        total = OrderItem.amount(fields, "total", currency)
        presentment = fields.object("presentment") { Self.presentment($0) } ?? nil
        customer = fields.object("customer") { Self.customer($0) } ?? OrderSnapshot.Customer()
        customerID = fields.id("customer_id")
        tags = OrderTags.read(fields) ?? []
        note = fields.isPresent("note") ? fields.requiredString("note") : nil
        OrderItem.checkSum(of: items, beside: [shipping, tax ?? .zero(currency)], fields, "items")
    }

    private static func presentment(_ fields: FieldReader) -> OrderSnapshot.Presentment? {
        let given = fields.currency("currency")
        for name in ["currency", "total"] where fields.value(name) == nil { fields.fault(name, "is required") }
        let currency = given ?? .usd
        func amount(_ name: String) -> Money { OrderItem.amount(fields, name, currency) ?? .zero(currency) }
        return OrderSnapshot.Presentment(
            discount: amount("discount_total"), shipping: amount("shipping_total"), tax: amount("tax_total"),
            total: amount("total"))
    }

    private static func customer(_ fields: FieldReader) -> OrderSnapshot.Customer {
        OrderSnapshot.Customer(
            externalID: OrderItem.text(fields, "external_id"), name: OrderItem.text(fields, "name"),
            email: OrderItem.text(fields, "email"))
    }

    /// The order as a snapshot, so that a caller's order takes the same way as a store's.
    func snapshot(now: Timestamp) -> OrderSnapshot {
        let lines = items.enumerated().map { index, item in item.line(at: index + 1) }
        var snapshot = OrderSnapshot(externalID: externalID ?? idempotencyKey, currency: currency, lines: lines)
        snapshot.number = number
        snapshot.status = .pendingPayment
        snapshot.placedAt = now
        snapshot.shipping = shipping
        snapshot.tax = tax ?? Money(minorUnits: items.reduce(0) { $0 + $1.tax.minorUnits }, currency: currency)
        snapshot.discount = Money(minorUnits: items.reduce(0) { $0 &+ $1.discount.minorUnits }, currency: currency)
        snapshot.total = total
        snapshot.presentment = presentment
        snapshot.customer = customer
        return snapshot
    }
}
