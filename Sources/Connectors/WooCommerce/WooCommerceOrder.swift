import Kernel

/// Reads an order of the store's REST shape (`wc/v3`), which is also what its order webhooks carry.
///
/// Amounts are taken from the decimal texts `total`, `total_tax` and their like, never from `line_items[].price`, which
/// went through binary floating point at the store. They are written with the decimals that the store is set to today:
/// a dollar order may read `101` after a switch to yen. That is an exact text of a rounded amount, which can't be told
/// from a whole one here; only reading the order again with `dp` shows the cents.
enum WooCommerceOrder {
    static func snapshot(of source: SourceObject) throws(Untranslatable) -> OrderSnapshot {
        if let code = source.object["code"]?.string, source.object["id"] == nil {
            let shown = SourceObject.shown(code)
            throw source.fault("id", "is missing; the store sent the error \"\(shown)\" instead of an order")
        }
        let externalID = try source.requiredIdentifier("id")
        if externalID == "0" { throw source.fault("id", "must not be 0") }
        guard let currency = try source.currency("currency") else { throw source.fault("currency", "is missing") }
        guard let items = try source.objects("line_items", upTo: Limits.orderLines) else {
            throw source.fault("line_items", "is missing")
        }
        var lines: [OrderSnapshot.Line] = []
        lines.reserveCapacity(items.count)
        for item in items { lines.append(try line(item, currency)) }
        for fee in try source.objects("fee_lines", upTo: Limits.orderLines) ?? [] {
            lines.append(try feeLine(fee, currency))
        }
        var order = OrderSnapshot(externalID: externalID, currency: currency, lines: lines)
        order.number = try source.identifier("number")
        try readStatus(source, into: &order)
        order.discount = try source.money("discount_total", in: currency) ?? .zero(currency)
        order.shipping = try source.money("shipping_total", in: currency) ?? .zero(currency)
        order.tax = try source.money("total_tax", in: currency) ?? .zero(currency)
        order.total = try source.money("total", in: currency)
        order.refunds = try refunds(source, currency)
        order.tellsRefunds = source.member(["refunds"]) != nil
        order.customer = try customer(source)
        order.updatedAt = try source.time("date_modified_gmt")
        order.placedAt = try source.time("date_created_gmt")
        try OrderArithmetic.check(order, in: source)
        return order
    }

    /// The states of the store that mean something here. Plugins add their own, which are kept as text only.
    static func status(_ text: String) -> OrderStatus? {
        switch text {
        case "checkout-draft", "auto-draft": .draft
        case "pending", "on-hold": .pendingPayment
        case "processing": .processing
        case "completed": .completed
        case "cancelled": .cancelled
        case "refunded": .refunded
        case "failed": .failed
        default: nil
        }
    }

    private static func readStatus(
        _ source: SourceObject, into order: inout OrderSnapshot
    ) throws(Untranslatable) {
        order.sourceStatus = try source.text("status", upTo: SourceObject.identifierCharacters)
        order.status = order.sourceStatus.flatMap(status)
    }

    /// A product line. Its totals are net also where the store shows prices with tax, and after discounts; so is the
    /// unit price, which is what the store itself calls the price of a line.
    private static func line(_ item: SourceObject, _ currency: Currency) throws(Untranslatable) -> OrderSnapshot.Line {
        let key = try item.requiredIdentifier("id")
        let quantity = try item.quantity("quantity")
        let total = try item.requiredMoney("total", in: currency)
        let productID = try identifierNotZero(item, "product_id")
        let itemID = try identifierNotZero(item, "variation_id") ?? productID
        let sku = try item.identifier("sku")
        return OrderSnapshot.Line(
            key: key, itemID: itemID, sku: sku, title: try item.text("name") ?? sku ?? "Line \(key)",
            quantity: quantity, unitPrice: OrderArithmetic.unitPrice(of: total, for: quantity), total: total,
            tax: try item.money("total_tax", in: currency) ?? .zero(currency))
    }

    /// A fee is a line without item and SKU, so that the lines add up to the order; it may be below zero (a rebate).
    private static func feeLine(
        _ fee: SourceObject, _ currency: Currency
    ) throws(Untranslatable) -> OrderSnapshot.Line {
        let total = try fee.requiredMoney("total", in: currency)
        return OrderSnapshot.Line(
            key: "fee:\(try fee.requiredIdentifier("id"))", itemID: nil, sku: nil, title: try fee.text("name") ?? "Fee",
            quantity: 1, unitPrice: total, total: total,
            tax: try fee.money("total_tax", in: currency) ?? .zero(currency))
    }

    /// Refunds are written below zero and tax included; one of nothing (goods taken back only) is no refund.
    private static func refunds(
        _ source: SourceObject, _ currency: Currency
    ) throws(Untranslatable) -> [OrderSnapshot.Refund] {
        var refunds: [OrderSnapshot.Refund] = []
        for refund in try source.objects("refunds", upTo: Limits.orderLines) ?? [] {
            let total = try refund.requiredMoney("total", in: currency)
            if total.minorUnits == 0 { continue }
            refunds.append(
                OrderSnapshot.Refund(
                    externalID: try refund.requiredIdentifier("id"), amount: OrderArithmetic.magnitude(total),
                    reason: try refund.text("reason")))
        }
        return refunds
    }

    private static func customer(_ source: SourceObject) throws(Untranslatable) -> OrderSnapshot.Customer {
        let billing = try source.object("billing")
        let names = [try billing?.text("first_name"), try billing?.text("last_name")].compactMap { $0 }
        let company = try billing?.text("company")
        return OrderSnapshot.Customer(
            externalID: try identifierNotZero(source, "customer_id"),
            name: names.isEmpty ? company : names.joined(separator: " "),
            email: try billing?.text("email"))
    }

    /// The store writes 0 where there is none: a guest, a line whose product is gone, a product without variations.
    private static func identifierNotZero(_ source: SourceObject, _ name: String) throws(Untranslatable) -> String? {
        guard let text = try source.identifier(name), text != "0" else { return nil }
        return text
    }
}
