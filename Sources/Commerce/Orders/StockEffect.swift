import Kernel

/// What an order in some state has to do with stock.
package enum StockHolding: String, Sendable, CaseIterable {
    /// Nothing is promised. What was sent out before and has not come back stays gone.
    case released
    /// What was not sent out yet is promised to the order; what was is gone.
    case reserved
    /// All of it is gone, apart from what came back.
    case taken
    /// All of it came back.
    case returned

    /// One sentence for the documentation.
    package var summary: String {
        switch self {
        case .released: "reserves nothing; pieces sent before stay taken until they are returned"
        case .reserved: "reserves what is not sent yet; what was sent is taken"
        case .taken: "takes every piece, less those returned"
        case .returned: "reserves and takes nothing"
        }
    }
}

extension OrderStatus {
    /// What the state means for stock. It follows from the state alone, not from the way that led to it: states are
    /// skipped, repeated and told late.
    package var stockHolding: StockHolding {
        switch self {
        case .draft, .cancelled, .failed: .released
        case .pendingPayment, .paymentAuthorized, .confirmed, .processing, .partiallyFulfilled: .reserved
        // Money that went back in part says nothing of goods: whoever gave it back in part has sent them.
        case .fulfilled, .delivered, .completed, .returnRequested, .partiallyReturned, .partiallyRefunded: .taken
        case .returned, .refunded: .returned
        }
    }
}

/// What a change of an order does to stock. Pure.
///
/// What an order holds is a function of the order as it stands; a change moves the difference of the two. However many
/// states lie between, in whatever order and how often they were told: the moves add up to what the last one holds.
enum StockEffect {
    /// Where a line's pieces lie.
    struct Spot: Hashable, Comparable {
        let variant: VariantID
        let location: LocationID

        static func < (a: Spot, b: Spot) -> Bool { (a.variant, a.location) < (b.variant, b.location) }
    }

    struct Move: Equatable {
        let spot: Spot
        let delta: Balance

        var reason: LedgerReason {
            if delta.onHand == 0 { return .reservation }
            return delta.onHand < 0 ? .sale : .returned
        }
    }

    /// What an order adds to the levels: pieces that it has taken count below zero. Lines that are no goods, that match
    /// no variant or that have no location yet hold nothing.
    static func held(by order: Order) -> [Spot: Balance] {
        var sums: [Spot: Balance] = [:]
        for line in order.lines where line.isItem {
            guard let variant = line.variant, let location = line.location else { continue }
            let balance = held(by: line, order.status.stockHolding)
            if balance == Balance() { continue }
            sums[Spot(variant: variant, location: location), default: Balance()] += balance
        }
        return sums
    }

    private static func held(by line: OrderLine, _ holding: StockHolding) -> Balance {
        let (current, sent, back) = (line.quantityCurrent, line.quantityShipped, line.quantityReturned)
        return switch holding {
        case .released: Balance(onHand: -max(0, sent - back))
        case .reserved: Balance(onHand: -max(0, sent - back), reserved: max(0, current - sent))
        case .taken: Balance(onHand: -max(0, max(current, sent) - back))
        case .returned: Balance()
        }
    }

    /// The moves that lead from what the order held to what it holds, at most one for each spot.
    static func moves(from old: Order?, to new: Order) -> [Move] {
        let before = old.map { held(by: $0) } ?? [:]
        let after = held(by: new)
        return Set(before.keys).union(after.keys).sorted().compactMap { spot in
            let delta = (after[spot] ?? Balance()) - (before[spot] ?? Balance())
            return delta == Balance() ? nil : Move(spot: spot, delta: delta)
        }
    }
}
