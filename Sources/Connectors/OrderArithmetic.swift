import Kernel

/// Sums and quotients of minor units that say so when 64 bits don't hold them, instead of trapping.
enum OrderArithmetic {
    static func product(_ price: Money, _ quantity: Int64) -> Money? {
        let (minor, overflow) = price.minorUnits.multipliedReportingOverflow(by: quantity)
        return overflow ? nil : Money(minorUnits: minor, currency: price.currency)
    }

    static func sum(_ a: Money, _ b: Money) -> Money? {
        let (minor, overflow) = a.minorUnits.addingReportingOverflow(b.minorUnits)
        return overflow ? nil : Money(minorUnits: minor, currency: a.currency)
    }

    static func difference(_ a: Money, _ b: Money) -> Money? {
        let (minor, overflow) = a.minorUnits.subtractingReportingOverflow(b.minorUnits)
        return overflow ? nil : Money(minorUnits: minor, currency: a.currency)
    }

    /// The amount without its sign; Money's bound keeps it from being the one number without a counterpart.
    static func magnitude(_ amount: Money) -> Money {
        Money(minorUnits: abs(amount.minorUnits), currency: amount.currency)
    }

    /// What one piece costs when `quantity` cost `total`: exact where it divides, else rounded half away from zero to
    /// the smallest unit. Money is never computed back from it.
    static func unitPrice(of total: Money, for quantity: Int64) -> Money {
        let (quotient, rest) = total.minorUnits.quotientAndRemainder(dividingBy: quantity)
        // Doubling is safe: a rest is smaller than the quantity, which is bounded.
        let rounds = rest.magnitude * 2 >= quantity.magnitude
        let step: Int64 = rounds ? (total.minorUnits < 0 ? -1 : 1) : 0
        return Money(minorUnits: quotient + step, currency: total.currency)
    }

    /// Parks an order whose amounts could overflow in whatever order a later step adds them, or whose keys collide.
    static func check(_ order: OrderSnapshot, in source: SourceObject) throws(Untranslatable) {
        var keys = Set<String>(minimumCapacity: order.lines.count)
        for line in order.lines where !keys.insert(line.key).inserted {
            throw source.fault("line_items", "two lines have the id \"\(line.key)\"")
        }
        keys.removeAll()
        for refund in order.refunds where !keys.insert(refund.externalID).inserted {
            throw source.fault("refunds", "two refunds have the id \"\(refund.externalID)\"")
        }
        var amounts = [order.discount, order.shipping, order.tax].map(\.minorUnits)
        if let total = order.total { amounts.append(total.minorUnits) }
        amounts += order.refunds.map(\.amount.minorUnits)
        for line in order.lines {
            guard let product = product(line.unitPrice, line.quantity) else { throw overflow(source) }
            amounts += [product.minorUnits, line.total.minorUnits, line.tax.minorUnits]
        }
        var sum: UInt64 = 0
        for amount in amounts {
            let (next, carry) = sum.addingReportingOverflow(amount.magnitude)
            guard !carry, next <= UInt64(Int64.max) else { throw overflow(source) }
            sum = next
        }
    }

    static func overflow(_ source: SourceObject) -> Untranslatable {
        source.fault("total", "the amounts add up to more than can be held")
    }
}
