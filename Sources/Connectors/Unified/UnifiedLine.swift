import Kernel

/// One line of a gateway's order in either spelling.
struct UnifiedLine {
    let line: OrderSnapshot.Line
    /// What the line's total already has taken off its price.
    let discount: Money
    /// Unified.to tells refunds only as an amount on the line.
    let refund: OrderSnapshot.Refund?
    /// Whether the line says what was refunded of it, be it nothing.
    let tellsRefund: Bool

    init(_ item: SourceObject, place: Int, _ currency: Currency) throws(Untranslatable) {
        let key = try item.identifier("id") ?? "#\(place + 1)"
        let variantID = try UnifiedLine.onlyVariant(of: item)
        let itemID = try item.identifier("item_id") ?? variantID
        let sku = try item.identifier("sku", "item_sku")
        let title = try item.text("name", "item_name", "description", "item_description")
        let quantity = try item.quantity("quantity", "unit_quantity")
        let tax = try item.money("tax_amount", in: currency) ?? .zero(currency)
        let price = try Price(item, quantity, tax: tax, currency)
        line = OrderSnapshot.Line(
            key: key, itemID: itemID, sku: sku, title: title ?? sku ?? itemID ?? "Line \(key)", quantity: quantity,
            unitPrice: price.unit, total: price.total, tax: tax)
        discount = price.discount
        let told = try item.money("refund_amount", in: currency)
        tellsRefund = told != nil
        let refunded = told ?? .zero(currency)
        refund =
            refunded.minorUnits == 0
            ? nil
            : OrderSnapshot.Refund(
                externalID: "line:\(key)", amount: OrderArithmetic.magnitude(refunded), reason: nil)
    }

    /// Unified.to names the variants of a line apart from its item; one of them is as good as an item's id.
    private static func onlyVariant(of item: SourceObject) throws(Untranslatable) -> String? {
        guard let variants = try item.objects("item_variants", upTo: Limits.orderLines), variants.count == 1 else {
            return nil
        }
        return try variants[0].identifier("id")
    }
}

/// The price of one before discounts, and the line's net total.
///
/// Without `total_amount` the total is price times quantity less `discount_amount`. With it the total is believed, but
/// where it is exactly the computed one plus the line's tax, it was written with tax, and the tax is taken off.
private struct Price {
    let unit: Money
    let total: Money
    let discount: Money

    init(_ item: SourceObject, _ quantity: Int64, tax: Money, _ currency: Currency) throws(Untranslatable) {
        let told = try item.money("total_amount", in: currency)
        let off = try item.money("discount_amount", in: currency) ?? .zero(currency)
        guard let unit = try item.money("unit_amount", in: currency) else {
            guard let told else { throw item.fault("unit_amount", "is missing") }
            self.unit = OrderArithmetic.unitPrice(of: told, for: quantity)
            total = told
            discount = off
            return
        }
        self.unit = unit
        guard let full = OrderArithmetic.product(unit, quantity),
            let net = OrderArithmetic.difference(full, off), let gross = OrderArithmetic.sum(net, tax)
        else { throw item.fault("unit_amount", "times the quantity is more than can be held") }
        let total = if let told, told != gross { told } else { net }
        guard let difference = OrderArithmetic.difference(full, total) else { throw OrderArithmetic.overflow(item) }
        self.total = total
        discount = Money(minorUnits: max(0, difference.minorUnits), currency: currency)
    }
}
