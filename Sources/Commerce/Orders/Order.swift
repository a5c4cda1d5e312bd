import Events
import Kernel

package typealias OrderID = ID<Order>

/// An order as it is stored: the newest that its source told, and what was found out about it here.
package struct Order: Sendable, Equatable {
    package enum MatchStatus: String, Sendable, CaseIterable {
        /// Every line that still counts is a known variant.
        case full
        case partial
        /// No such line is, or there are none.
        case none
    }

    package let id: OrderID
    package let scope: Scope
    /// Unique in the tenant: the connection and the source's id, or what a caller gave.
    package let idempotencyKey: String
    package let connection: ID<OrderSource>?
    package let externalID: String?
    package let channel: String
    package let sourcePlatform: String
    package var status: OrderStatus
    package var sourceStatus: String?
    package let currency: Currency
    package var lines: [OrderLine]
    package var adjustments: [OrderAdjustment]
    package var discount: Money
    package var shipping: Money
    package var tax: Money
    package var total: Money
    package var customer: OrderSnapshot.Customer
    /// Who of our customers it is; nil for a guest who left neither an id nor an address.
    package var customerID: CustomerID?
    /// The source's own time of the state that is stored; nil when it told none.
    package var sourceVersion: Timestamp?
    /// The inbox entry that the stored state came with.
    package var inbox: ID<OrderSource>?
    package let placedAt: Timestamp
    /// Counts changes; part of what an answer is known by.
    package var version: Int64
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    /// The number that people see, where the source has one apart from its id.
    package var number: String?
    /// What the buyer saw, where the source tells it beside its own money.
    package var presentment: OrderSnapshot.Presentment?
    /// Each once, in the order in which they were given.
    package var tags: [String] = []
    /// Whether it waits for pieces that were promised although they were not there.
    package var isOversold = false
    /// Whether its buyer asked to be forgotten: nobody who tells of the order again brings the buyer back.
    package var isBuyerErased = false

    /// The sum of the lines after their discounts and before tax.
    package var subtotal: Money { sum(lines.map(\.total)) }

    package var refunded: Money { sum(adjustments.map(\.amount)) }

    /// What can have been paid by now, and so can be given back: nothing before the payment is through.
    package var paid: Money {
        switch status {
        case .draft, .pendingPayment, .paymentAuthorized, .failed: .zero(currency)
        default: total
        }
    }

    /// Whether a connected store tells what the order is.
    package var isImported: Bool { connection != nil }

    /// What the source's total has more than lines, shipping and tax give. Recorded and shown, never mended.
    package var totalDifference: Money {
        Money(
            minorUnits: total.minorUnits &- subtotal.minorUnits &- shipping.minorUnits &- tax.minorUnits,
            currency: currency)
    }

    package var matchStatus: MatchStatus {
        // Nobody has to look after a line that the source has dropped.
        let items = lines.filter { $0.isItem && $0.quantityCurrent > 0 }
        let matched = items.count { $0.variant != nil }
        if matched == 0 { return .none }
        return matched == items.count ? .full : .partial
    }

    private func sum(_ amounts: [Money]) -> Money {
        // Each amount is below half of 64 bits and connectors check the sum; wrapping can't be reached by valid input.
        Money(minorUnits: amounts.reduce(0) { $0 &+ $1.minorUnits }, currency: currency)
    }
}

/// What an order refers to outside of this target: a connection or an inbox entry.
package enum OrderSource {}

/// One line of an order. It stays when the source drops it, with a current quantity of zero.
package struct OrderLine: Sendable, Equatable {
    /// The source's id of the line; stable over its updates.
    package let key: String
    package var itemID: String?
    package var sku: String?
    package var title: String
    package var variant: VariantID?
    package var match: LineMatch
    package var quantityOrdered: Int64
    package var quantityCurrent: Int64
    package var quantityFulfilled: Int64
    package var unitPrice: Money
    package var total: Money
    package var tax: Money
    /// Where its stock is reserved or was taken from. Nil while it takes part in none: nothing is to be given back.
    package var location: LocationID?
    /// Pieces in fulfilments that were recorded here. What only a source's state tells is in `quantityFulfilled`.
    package var quantityShipped: Int64 = 0
    /// Pieces in returns that were recorded here.
    package var quantityReturned: Int64 = 0

    /// A line that a caller wrote by hand has a key of this form.
    package static let customPrefix = "custom:"

    /// Whether the line is a thing of the catalogue: neither a fee, whose key connectors give this form, nor a line
    /// written by hand. No variant is looked for otherwise.
    package var isItem: Bool { !isFee && !isCustom }

    /// Whether a caller wrote the line by hand.
    package var isCustom: Bool { key.hasPrefix(Self.customPrefix) }

    /// Whether nothing is ever sent for the line.
    package var isFee: Bool { key.hasPrefix("fee:") }

    /// What can still be sent.
    package var open: Int64 { isFee ? 0 : max(0, quantityCurrent - quantityShipped) }

    /// What can still come back.
    package var outside: Int64 { isFee ? 0 : max(0, max(quantityCurrent, quantityShipped) - quantityReturned) }
}

/// How a line's variant was found, or why none was.
package enum LineMatch: String, Sendable, CaseIterable {
    /// The source named a variant of ours by its id.
    case item
    /// The source's item is mapped to the variant for this connection.
    case mapping
    /// The SKU is the variant's, to the letter.
    case sku
    case unmatched
    /// More than one variant could be meant: none is taken.
    case ambiguous
}

/// Money that went back to the customer, known by the source's own id of the refund. Never a negative order.
package struct OrderAdjustment: Sendable, Equatable {
    package let externalID: String
    /// Zero where the source told of it once and tells of it no more.
    package var amount: Money
    package var reason: String?
    /// Whether the order's source told of it and so says what it amounts to. One that a caller recorded here stays as
    /// it was recorded.
    package let isFromSource: Bool
}

extension Order {
    /// What events tell of the order.
    package var payload: OrderPayload {
        OrderPayload(
            id: id.cast(), externalID: externalID, status: status.rawValue, channel: channel,
            sourcePlatform: sourcePlatform, matchStatus: matchStatus.rawValue, total: total, refunded: refunded,
            lines: lines.filter { $0.quantityCurrent > 0 }.map { line in
                OrderPayload.Line(
                    variant: line.variant?.description, sku: line.sku, title: line.title,
                    quantity: line.quantityCurrent, unitPrice: line.unitPrice, match: line.match.rawValue)
            }, customerName: customer.name, customerEmail: customer.email, placedAt: placedAt, createdAt: createdAt,
            updatedAt: updatedAt)
    }
}
