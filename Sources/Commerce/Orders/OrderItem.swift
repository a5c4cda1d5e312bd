import Kernel

/// One thing that a caller puts on an order.
package struct OrderItem: Sendable {
    package let variant: VariantID?
    package let sku: String?
    /// Where it is to be taken from; nil is the default location.
    package let location: LocationID?
    /// Written by hand: it is nothing of the catalogue, and no variant is looked for.
    package let isCustom: Bool
    package let title: String
    package let quantity: Int64
    package let unitPrice: Money
    /// For the whole quantity; never more than it costs.
    package let discount: Money
    /// For the whole quantity.
    package let tax: Money

    package init(_ fields: FieldReader, in currency: Currency) {
        variant = fields.id("variant_id", of: Variant.self)
        sku = Self.text(fields, "sku")
        location = fields.id("location_id")
        isCustom = fields.bool("custom") ?? false
        let quantity = fields.integer("quantity", in: 1...AdjustmentRequest.most)
        if fields.value("quantity") == nil { fields.fault("quantity", "is required") }
        self.quantity = quantity ?? 1
        let price = Self.amount(fields, "unit_price", currency)
        if fields.value("unit_price") == nil { fields.fault("unit_price", "is required") }
        unitPrice = price ?? .zero(currency)
        discount = Self.amount(fields, "discount", currency) ?? .zero(currency)
        tax = Self.amount(fields, "tax", currency) ?? .zero(currency)
        title = isCustom ? fields.requiredString("title", upTo: 500) : fields.string("title", upTo: 500) ?? sku ?? ""
        let hasName = fields.value("variant_id") != nil || fields.value("sku") != nil
        if !isCustom, !hasName { fields.fault("sku", "is required where no variant_id is given") }
        if isCustom, hasName { fields.fault("custom", "a line written by hand has no variant and no SKU") }
        if unitPrice.minorUnits >= 0, let full = total, full.minorUnits < 0 {
            fields.fault("discount", "is more than the line costs")
        }
    }

    /// A text without the white space around it, which must leave something.
    static func text(_ fields: FieldReader, _ name: String) -> String? {
        guard let text = fields.string(name, upTo: 200)?.trimmed else { return nil }
        if text.isEmpty { fields.fault(name, "must not be blank") }
        return text
    }

    /// An amount that is not below zero.
    static func amount(_ fields: FieldReader, _ name: String, _ currency: Currency) -> Money? {
        guard let amount = fields.money(name, in: currency) else { return nil }
        if amount.minorUnits < 0 { fields.fault(name, "must not be below zero") }
        return amount
    }

    /// What it costs after its discount and before tax; nil where that can't be held.
    var total: Money? {
        let (full, overflow) = unitPrice.minorUnits.multipliedReportingOverflow(by: quantity)
        return overflow ? nil : Money(minorUnits: full &- discount.minorUnits, currency: unitPrice.currency)
    }

    /// Notes a fault where the items together, with what is there already, come to more than an order can hold.
    static func checkSum(of items: [OrderItem], beside other: [Money], _ fields: FieldReader, _ name: String) {
        var sum: Int64 = 0
        func add(_ amount: Int64?) -> Bool {
            guard let amount else { return false }
            let (next, carry) = sum.addingReportingOverflow(amount)
            sum = next
            return !carry && next <= Int64.max / 4
        }
        for amount in other where !add(amount.minorUnits) {
            fields.fault(name, "make the order's total larger than can be held")
            return
        }
        for (index, item) in items.enumerated() where !add(item.total?.minorUnits) || !add(item.tax.minorUnits) {
            fields.fault(at: [name, String(index)], "makes the order's total larger than can be held")
            return
        }
    }

    /// The item as the order's line of that place, which counts from one.
    func line(at place: Int) -> OrderSnapshot.Line {
        OrderSnapshot.Line(
            key: isCustom ? "\(OrderLine.customPrefix)\(place)" : String(place), itemID: variant?.description,
            sku: sku, title: title, quantity: quantity, unitPrice: unitPrice,
            total: total ?? .zero(unitPrice.currency), tax: tax)
    }
}
