import Kernel

/// What a caller says of a variant's amounts. Digits wait for the currency that the stored variant may have.
struct VariantAmounts: Sendable, Equatable {
    private let price: FieldChange<String>
    private let compareAt: FieldChange<String>
    private let cost: FieldChange<String>
    private let currency: Currency?
    private let costCurrency: Currency?

    init(_ fields: FieldReader) {
        currency = fields.currency("currency")
        costCurrency = fields.currency("cost_currency")
        let isUnknown = currency == nil && fields.value("currency") != nil
        let isCostUnknown = costCurrency == nil && fields.value("cost_currency") != nil
        // An amount of an unknown currency would only add a second fault that follows from the first.
        let (given, before) = (Self.digits(fields, "price"), Self.digits(fields, "compare_at_price"))
        let ownCost = Self.digits(fields, "cost_price")
        price = isUnknown ? .keep : given
        compareAt = isUnknown ? .keep : before
        cost = isCostUnknown ? .keep : ownCost
        if currency != nil, price == .keep, fields.value("price") == nil {
            fields.fault("price", "is required beside a currency")
        }
        if costCurrency != nil, cost == .keep, fields.value("cost_price") == nil {
            fields.fault("cost_price", "is required beside a currency")
        }
    }

    private static func digits(_ fields: FieldReader, _ name: String) -> FieldChange<String> {
        fields.change(name) { name in
            let digits = fields.value(name)?.decimalText
            if digits == nil { fields.fault(name, "must be a number") }
            return digits
        }
    }

    /// Sets the variant's amounts, or throws all that is wrong with them.
    func apply(to variant: inout Variant) throws(InvalidDocument) {
        var faults: [FieldFault] = []
        let old = variant
        variant.price = amount("price", price, old.price, currency ?? old.price?.currency, &faults)
        variant.cost = amount(
            "cost_price", cost, old.cost, costCurrency ?? old.cost?.currency ?? variant.price?.currency, &faults)
        if let currency = variant.price?.currency {
            variant.compareAt = amount("compare_at_price", compareAt, old.compareAt, currency, &faults)
            if let kept = variant.compareAt, kept.currency != currency {
                faults.append(
                    FieldFault(pointer: "/compare_at_price", detail: "is required when the currency changes, or null"))
            }
        } else {
            variant.compareAt = nil
            if case .set = compareAt, faults.isEmpty {
                faults.append(FieldFault(pointer: "/compare_at_price", detail: "needs a price beside it"))
            }
        }
        if !faults.isEmpty { throw InvalidDocument(faults) }
    }

    private func amount(
        _ name: String, _ change: FieldChange<String>, _ old: Money?, _ currency: Currency?,
        _ faults: inout [FieldFault]
    ) -> Money? {
        guard case .set(let digits) = change else { return change == .clear ? nil : old }
        guard let currency else {
            let field = name == "cost_price" ? "cost_currency" : "currency"
            faults.append(FieldFault(pointer: "/\(field)", detail: "is required beside a price"))
            return old
        }
        do throws(MoneyError) {
            let amount = try Money(digits, in: currency)
            if amount.minorUnits >= 0 { return amount }
            faults.append(FieldFault(pointer: "/\(name)", detail: "must not be below zero"))
        } catch {
            faults.append(FieldFault(pointer: "/\(name)", detail: error.description))
        }
        return old
    }
}
