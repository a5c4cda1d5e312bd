import Kernel

/// What a caller gives for an order that it places itself.
package struct NewOrder: Sendable {
    package struct Item: Sendable {
        package let variant: VariantID?
        package let sku: String?
        package let quantity: Int64
        package let unitPrice: Money
        package let title: String
    }

    package let idempotencyKey: String
    package let currency: Currency
    package let channel: String
    package let items: [Item]

    package init(_ fields: FieldReader) {
        idempotencyKey = fields.requiredString("idempotency_key", upTo: 200)
        let currency = fields.currency("currency")
        if fields.value("currency") == nil { fields.fault("currency", "is required") }
        // Reading goes on with some currency, so that the other fields' faults are told too.
        self.currency = currency ?? .usd
        channel = fields.string("channel", upTo: 100) ?? "api"
        let inCurrency = self.currency
        items = fields.objects("items", upTo: Limits.orderLines) { Self.item($0, inCurrency) } ?? []
        if items.isEmpty { fields.fault("items", "must have at least one item") }
        var sum: Int64 = 0
        for (index, item) in items.enumerated() {
            let (amount, overflow) = item.unitPrice.minorUnits.multipliedReportingOverflow(by: item.quantity)
            let (total, carry) = sum.addingReportingOverflow(amount)
            if overflow || carry || total > Int64.max / 4 {
                fields.fault(at: ["items", String(index)], "makes the order's total larger than can be held")
                return
            }
            sum = total
        }
    }

    private static func item(_ fields: FieldReader, _ currency: Currency) -> Item {
        let variant = fields.id("variant_id", of: Variant.self)
        let sku = fields.code("sku")
        if fields.value("variant_id") == nil, fields.value("sku") == nil {
            fields.fault("sku", "is required where no variant_id is given")
        }
        let quantity = fields.integer("quantity", in: 1...1_000_000_000)
        if fields.value("quantity") == nil { fields.fault("quantity", "is required") }
        let price = fields.money("unit_price", in: currency)
        if fields.value("unit_price") == nil { fields.fault("unit_price", "is required") }
        if let price, price.minorUnits < 0 { fields.fault("unit_price", "must not be below zero") }
        return Item(
            variant: variant, sku: sku, quantity: quantity ?? 1, unitPrice: price ?? .zero(currency),
            title: fields.string("title", upTo: 500) ?? sku ?? "")
    }

    /// The order as a snapshot, so that a caller's order takes the same way as a store's.
    func snapshot(now: Timestamp) -> OrderSnapshot {
        let lines = items.enumerated().map { index, item in
            OrderSnapshot.Line(
                key: String(index + 1), itemID: item.variant?.description, sku: item.sku, title: item.title,
                quantity: item.quantity, unitPrice: item.unitPrice,
                total: Money(minorUnits: item.unitPrice.minorUnits &* item.quantity, currency: currency),
                tax: .zero(currency))
        }
        var snapshot = OrderSnapshot(externalID: idempotencyKey, currency: currency, lines: lines)
        snapshot.status = .pendingPayment
        snapshot.placedAt = now
        return snapshot
    }
}
