import Kernel

/// Reads an order in the seed's spelling (`line_items`, `sku`, `quantity`) or in Unified.to's (`lineitems`, `item_sku`,
/// `unit_quantity`), member by member.
enum UnifiedOrder {
    static func snapshot(of envelope: SourceObject) throws(Untranslatable) -> OrderSnapshot {
        let data = try payload(of: envelope)
        let externalID = try data.requiredIdentifier("id")
        let currency = try data.currency("currency") ?? .usd
        guard let items = try data.objects("line_items", "lineitems", upTo: Limits.orderLines) else {
            throw data.fault("line_items", "is missing")
        }
        var lines: [UnifiedLine] = []
        lines.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            lines.append(try UnifiedLine(item, place: index, currency))
        }
        var order = OrderSnapshot(externalID: externalID, currency: currency, lines: lines.map(\.line))
        order.number = try data.identifier("number", "order_number")
        order.sourceStatus = try data.text("status", upTo: SourceObject.identifierCharacters)
        order.status = order.sourceStatus.flatMap(UnifiedStatus.status)
        let refunds = try orderRefunds(data, currency)
        order.refunds = refunds.isEmpty ? lines.compactMap(\.refund) : refunds
        order.tellsRefunds = data.member(["refunds"]) != nil || lines.contains(where: \.tellsRefund)
        order.customer = try customer(data)
        order.updatedAt = try data.time("updated_at")
        order.placedAt = try data.time("created_at", "posted_at")
        try readTotals(data, lines, into: &order)
        try OrderArithmetic.check(order, in: data)
        return order
    }

    /// `data` as the seed writes it, an object, or Unified.to's array of exactly one.
    private static func payload(of envelope: SourceObject) throws(Untranslatable) -> SourceObject {
        guard let (_, value) = envelope.member(["data"]) else { throw envelope.fault("data", "is missing") }
        if let object = value.object { return SourceObject(object: object, path: "data") }
        guard let items = value.array else { throw envelope.fault("data", "must be an object, not \(value.kind)") }
        guard items.count == 1 else { throw envelope.fault("data", "must be one order, not \(items.count)") }
        guard let object = items[0].object else {
            throw envelope.fault("data/0", "must be an object, not \(items[0].kind)")
        }
        return SourceObject(object: object, path: "data/0")
    }

    // MARK: Totals

    /// The order's own totals, which may also stand together in `totals`.
    ///
    /// Without a told total it is summed here: lines, shipping and tax, less a discount that no line has taken off yet.
    private static func readTotals(
        _ data: SourceObject, _ lines: [UnifiedLine], into order: inout OrderSnapshot
    ) throws(Untranslatable) {
        let currency = order.currency
        let none = Money.zero(currency)
        let lineDiscount = try total(lines.map(\.discount), none, data)
        let told = try amount(data, ["discount_amount", "discount_total", "discount"], in: currency)
        order.discount = told ?? lineDiscount
        order.shipping = try amount(data, ["shipping_amount", "shipping_total", "shipping"], in: currency) ?? none
        let lineTax = try total(order.lines.map(\.tax), none, data)
        order.tax = try amount(data, ["tax_amount", "tax_total", "tax"], in: currency) ?? lineTax
        order.total = try amount(data, ["total_amount", "total"], in: currency)
        if order.total == nil {
            let sum = try total(order.lines.map(\.total) + [order.shipping, order.tax], none, data)
            let left = lineDiscount == none ? OrderArithmetic.difference(sum, order.discount) : sum
            guard let left else { throw OrderArithmetic.overflow(data) }
            order.total = left
        }
    }

    private static func amount(
        _ data: SourceObject, _ names: [String], in currency: Currency
    ) throws(Untranslatable) -> Money? {
        for source in [data, try data.object("totals")].compactMap({ $0 }) {
            guard let (name, value) = source.member(names) else { continue }
            // `shipping` and `tax` may be objects that hold more than an amount.
            if let nested = value.object {
                let inner = SourceObject(object: nested, path: "\(source.path)/\(name)")
                if let money = try inner.money("amount", "total_amount", "total", in: currency) { return money }
            } else if let money = try source.money(name, value, in: currency) {
                return money
            }
        }
        return nil
    }

    private static func total(
        _ amounts: [Money], _ none: Money, _ data: SourceObject
    ) throws(Untranslatable) -> Money {
        var sum = none
        for amount in amounts {
            guard let next = OrderArithmetic.sum(sum, amount) else { throw OrderArithmetic.overflow(data) }
            sum = next
        }
        return sum
    }

    // MARK: Refunds and customer

    /// Refunds of the order; one without an id is known by its place in the list.
    private static func orderRefunds(
        _ data: SourceObject, _ currency: Currency
    ) throws(Untranslatable) -> [OrderSnapshot.Refund] {
        let items = try data.objects("refunds", upTo: Limits.orderLines) ?? []
        var refunds: [OrderSnapshot.Refund] = []
        for (index, item) in items.enumerated() {
            guard let told = try item.money("amount", "total_amount", "total", in: currency) else {
                throw item.fault("amount", "is missing")
            }
            if told.minorUnits == 0 { continue }
            refunds.append(
                OrderSnapshot.Refund(
                    externalID: try item.identifier("id") ?? "#\(index + 1)",
                    amount: OrderArithmetic.magnitude(told),
                    reason: try item.text("reason", "notes")))
        }
        return refunds
    }

    private static func customer(_ data: SourceObject) throws(Untranslatable) -> OrderSnapshot.Customer {
        let nested = try data.object("customer")
        let names = [try nested?.text("first_name"), try nested?.text("last_name")].compactMap { $0 }
        let joined = names.isEmpty ? nil : names.joined(separator: " ")
        let beside = OrderSnapshot.Customer(
            externalID: try data.identifier("customer_id", "contact_id"), name: try data.text("customer_name"),
            email: try data.text("customer_email"))
        return OrderSnapshot.Customer(
            externalID: try nested?.identifier("id") ?? beside.externalID,
            name: try nested?.text("name") ?? joined ?? beside.name,
            email: try nested?.text("email") ?? beside.email)
    }
}
