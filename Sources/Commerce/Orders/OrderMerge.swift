import Events
import Kernel

/// What a snapshot does to a stored order. Pure: no clock, no store, the same input gives the same order.
enum OrderMerge {
    enum Decision: Equatable {
        case create(Order)
        case update(Order, changed: [String])
        /// Older than what is stored: nothing is changed by it.
        case stale
        /// The same as what is stored.
        case unchanged(Order)
        /// It can't be the same order; the reason is for the person who looks at the parked delivery.
        case refused(reason: String)
    }

    /// Where a snapshot came from and what it was found to mean.
    struct Arrival {
        let id: OrderID
        let scope: Scope
        let idempotencyKey: String
        let connection: ID<OrderSource>?
        let channel: String
        let sourcePlatform: String
        let inbox: ID<OrderSource>?
        let snapshot: OrderSnapshot
        /// One for each line of the snapshot.
        let matches: [MatchedVariant]
        /// Who of our customers the snapshot's is.
        var customer: CustomerID?
    }

    static func decide(_ arrival: Arrival, stored: Order?, now: Timestamp) -> Decision {
        guard let stored else { return .create(create(arrival, now: now)) }
        let snapshot = arrival.snapshot
        if snapshot.currency != stored.currency {
            return .refused(
                reason: "currency: the order was in \(stored.currency.code) and now is in \(snapshot.currency.code)")
        }
        if let newest = stored.sourceVersion, let told = snapshot.updatedAt, told < newest { return .stale }
        var order = stored
        apply(arrival, to: &order)
        order.lines = merge(arrival, into: stored.lines, isFulfilled: isFulfilled(order.status))
        order.adjustments = mergeRefunds(of: snapshot, into: stored.adjustments)
        let changed = changes(from: stored, to: order)
        if changed.isEmpty {
            // A newer time alone is kept, so that an older state that comes later is still known to be stale.
            if order.sourceVersion == stored.sourceVersion { return .unchanged(stored) }
            order.inbox = arrival.inbox ?? stored.inbox
            return .unchanged(order)
        }
        order.inbox = arrival.inbox ?? stored.inbox
        order.version += 1
        order.updatedAt = now
        return .update(order, changed: changed)
    }

    private static func create(_ arrival: Arrival, now: Timestamp) -> Order {
        let snapshot = arrival.snapshot
        let zero = Money.zero(snapshot.currency)
        // A store that tells no status has accepted the order: that is what its delivery means.
        var order = Order(
            id: arrival.id, scope: arrival.scope, idempotencyKey: arrival.idempotencyKey,
            connection: arrival.connection, externalID: snapshot.externalID, channel: arrival.channel,
            sourcePlatform: arrival.sourcePlatform, status: .confirmed, sourceStatus: nil,
            currency: snapshot.currency, lines: [], adjustments: [], discount: zero, shipping: zero, tax: zero,
            total: zero, customer: snapshot.customer, sourceVersion: nil, inbox: arrival.inbox,
            placedAt: snapshot.placedAt ?? now, version: 1, createdAt: now, updatedAt: now)
        order.lines = merge(arrival, into: [], isFulfilled: isFulfilled(snapshot.status ?? order.status))
        apply(arrival, to: &order)
        order.adjustments = mergeRefunds(of: snapshot, into: [])
        return order
    }

    private static func apply(_ arrival: Arrival, to order: inout Order) {
        let snapshot = arrival.snapshot
        order.status = snapshot.status ?? order.status
        order.sourceStatus = snapshot.sourceStatus ?? order.sourceStatus
        order.sourceVersion = snapshot.updatedAt ?? order.sourceVersion
        order.discount = snapshot.discount
        order.shipping = snapshot.shipping
        order.tax = snapshot.tax
        order.number = snapshot.number ?? order.number
        order.presentment = snapshot.presentment ?? order.presentment
        // Sources leave the buyer out of some deliveries; nobody stops being one.
        if !snapshot.customer.isEmpty { order.customer = snapshot.customer }
        order.customerID = arrival.customer ?? order.customerID
        let sum = snapshot.lines.reduce(Int64(0)) { $0 &+ $1.total.minorUnits }
        order.total =
            snapshot.total
            ?? Money(
                minorUnits: sum &+ snapshot.shipping.minorUnits &+ snapshot.tax.minorUnits, currency: order.currency)
    }

    private static func isFulfilled(_ status: OrderStatus) -> Bool {
        status == .fulfilled || status == .delivered || status == .completed
    }

    // MARK: Lines

    /// The stored lines as the snapshot changes them. A line that the snapshot has no more is kept with nothing left of
    /// it.
    private static func merge(_ arrival: Arrival, into stored: [OrderLine], isFulfilled: Bool) -> [OrderLine] {
        var byKey = Dictionary(stored.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        var lines: [OrderLine] = []
        for (told, match) in zip(arrival.snapshot.lines, arrival.matches) {
            lines.append(line(told, match, stored: byKey.removeValue(forKey: told.key), isFulfilled: isFulfilled))
        }
        for var gone in stored where byKey[gone.key] != nil {
            gone.quantityCurrent = 0
            gone.total = .zero(gone.total.currency)
            gone.tax = .zero(gone.tax.currency)
            lines.append(gone)
        }
        return lines
    }

    private static func line(
        _ told: OrderSnapshot.Line, _ match: MatchedVariant, stored: OrderLine?, isFulfilled: Bool
    ) -> OrderLine {
        var line = OrderLine(
            key: told.key, itemID: told.itemID, sku: told.sku, title: told.title, variant: match.variant,
            match: match.how, quantityOrdered: max(told.quantity, stored?.quantityOrdered ?? 0),
            quantityCurrent: told.quantity,
            quantityFulfilled: isFulfilled ? told.quantity : stored?.quantityFulfilled ?? 0,
            unitPrice: told.unitPrice, total: told.total, tax: told.tax)
        guard let stored else { return line }
        line.quantityShipped = stored.quantityShipped
        line.quantityReturned = stored.quantityReturned
        line.quantityFulfilled = max(line.quantityFulfilled, stored.quantityShipped)
        if match.variant == nil { keepMatch(of: stored, in: &line, told) }
        // Another variant lies elsewhere; the same one stays where its stock is.
        if line.variant == stored.variant { line.location = stored.location }
        return line
    }

    private static func keepMatch(of stored: OrderLine, in line: inout OrderLine, _ told: OrderSnapshot.Line) {
        if told.itemID == nil, told.sku == nil {
            // The product was deleted at the source, which then forgets it in old orders too. We don't.
            line.itemID = stored.itemID
            line.sku = stored.sku
        }
        if line.itemID == stored.itemID, line.sku == stored.sku, stored.variant != nil {
            // Nor does a line lose its variant because the SKU here was changed after the order came.
            line.variant = stored.variant
            line.match = stored.match
        }
    }

    // MARK: Refunds

    /// The refunds that a snapshot tells are all that its source knows of, at what they amount to by now. One that it
    /// tells no more is kept with nothing left of it, as lines are. So the newest snapshot decides, whichever came
    /// before it, and money that was first told as amounts on lines and then as refunds counts once.
    ///
    /// Where its source left them out they stay. So does what a caller recorded.
    private static func mergeRefunds(
        of snapshot: OrderSnapshot, into stored: [OrderAdjustment]
    ) -> [OrderAdjustment] {
        let refunds = snapshot.refunds
        if refunds.isEmpty, !snapshot.tellsRefunds { return stored }
        var told = Dictionary(refunds.map { ($0.externalID, $0) }, uniquingKeysWith: { first, _ in first })
        var adjustments: [OrderAdjustment] = []
        for var adjustment in stored {
            let refund = told.removeValue(forKey: adjustment.externalID)
            if adjustment.isFromSource {
                adjustment.amount = refund?.amount ?? .zero(adjustment.amount.currency)
                if let refund { adjustment.reason = refund.reason }
            }
            adjustments.append(adjustment)
        }
        for refund in refunds where told.removeValue(forKey: refund.externalID) != nil {
            adjustments.append(
                OrderAdjustment(
                    externalID: refund.externalID, amount: refund.amount, reason: refund.reason, isFromSource: true))
        }
        return adjustments
    }

    // MARK: Changes

    /// Names of the payload's fields that differ, in the payload's order.
    private static func changes(from old: Order, to new: Order) -> [String] {
        var names: [String] = []
        func note(_ name: String, _ differs: Bool) { if differs { names.append(name) } }
        note("status", old.status != new.status || old.sourceStatus != new.sourceStatus)
        note("total", old.total != new.total)
        note("refunded_total", old.refunded != new.refunded)
        // The same money in other words: under other ids, or with another reason.
        note("adjustments", old.refunded == new.refunded && old.adjustments != new.adjustments)
        note("match_status", old.matchStatus != new.matchStatus)
        note("line_items", old.lines != new.lines)
        note("discount_total", old.discount != new.discount)
        note("shipping_total", old.shipping != new.shipping)
        note("tax_total", old.tax != new.tax)
        note("customer", old.customer != new.customer || old.customerID != new.customerID)
        note("number", old.number != new.number)
        note("presentment", old.presentment != new.presentment)
        return names
    }
}
