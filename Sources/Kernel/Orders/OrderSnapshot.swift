/// A whole order as a source tells it at one moment: what every connector translates a delivery into.
///
/// It is a snapshot, never a delta: sources collapse, reorder and repeat their deliveries.
package struct OrderSnapshot: Hashable, Sendable {
    /// The source's id of the order; opaque text.
    package var externalID: String
    /// The number that people see, where the source has one apart from its id.
    package var number: String?
    /// The source's own status, such as `processing`; nil when it tells none.
    package var sourceStatus: String?
    /// The state that `sourceStatus` means here; nil when the source tells none or one that is unknown.
    package var status: OrderStatus?
    package var currency: Currency
    package var lines: [Line]
    package var discount: Money
    package var shipping: Money
    package var tax: Money
    /// The source's own total; nil when it tells none and it is to be summed from the lines.
    package var total: Money?
    package var refunds: [Refund]
    /// Whether the source told what was refunded, be it nothing. Where not, no refunds here mean nothing.
    package var tellsRefunds = false
    package var customer: Customer
    /// The amounts in the money that the buyer saw, where the source tells both.
    package var presentment: Presentment?
    /// When the source says the order last changed; nil when it does not say.
    package var updatedAt: Timestamp?
    package var placedAt: Timestamp?

    package init(externalID: String, currency: Currency, lines: [Line]) {
        self.externalID = externalID
        self.currency = currency
        self.lines = lines
        discount = .zero(currency)
        shipping = .zero(currency)
        tax = .zero(currency)
        refunds = []
        customer = Customer()
    }

    package struct Line: Hashable, Sendable {
        /// The source's id of the line, or its place in the list where the source gives none. Stable over updates.
        package var key: String
        /// The source's id of the item: a variant id of ours, or one that may be mapped for the connection.
        package var itemID: String?
        package var sku: String?
        package var title: String
        package var quantity: Int64
        package var unitPrice: Money
        /// After line discounts, before tax, for the whole quantity.
        package var total: Money
        package var tax: Money

        package init(
            key: String, itemID: String?, sku: String?, title: String, quantity: Int64, unitPrice: Money, total: Money,
            tax: Money
        ) {
            self.key = key
            self.itemID = itemID
            self.sku = sku
            self.title = title
            self.quantity = quantity
            self.unitPrice = unitPrice
            self.total = total
            self.tax = tax
        }
    }

    package struct Refund: Hashable, Sendable {
        package var externalID: String
        /// Above zero: money that went back to the customer.
        package var amount: Money
        package var reason: String?

        package init(externalID: String, amount: Money, reason: String?) {
            self.externalID = externalID
            self.amount = amount
            self.reason = reason
        }
    }

    /// The order's amounts once more, in the money that the buyer was shown and paid in.
    package struct Presentment: Hashable, Sendable {
        package var discount: Money
        package var shipping: Money
        package var tax: Money
        /// Its currency is that of the others.
        package var total: Money

        package init(discount: Money, shipping: Money, tax: Money, total: Money) {
            self.discount = discount
            self.shipping = shipping
            self.tax = tax
            self.total = total
        }
    }

    /// Personal data: it never leaves by push or feed.
    package struct Customer: Hashable, Sendable {
        package var externalID: String?
        package var name: String?
        package var email: String?

        package init(externalID: String? = nil, name: String? = nil, email: String? = nil) {
            self.externalID = externalID
            self.name = name
            self.email = email
        }

        /// Whether the source told nothing of whom the order is for.
        package var isEmpty: Bool { externalID == nil && name == nil && email == nil }
    }
}
