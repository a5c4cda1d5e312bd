import Kernel

/// What a caller gives for a new product.
package struct NewProduct: Sendable {
    package let title: String
    package let description: String?
    package let category: String?
    package let status: Product.Status
    package let variants: [NewVariant]

    package init(_ fields: FieldReader) {
        title = fields.requiredString("title", upTo: 500)
        description = fields.string("description", upTo: 20_000)
        category = fields.string("category", upTo: 200)
        status = fields.choice("status", of: Product.Status.self) ?? .draft
        if status == .discontinued { fields.fault("status", "a new product can't be discontinued") }
        variants = fields.objects("variants", upTo: 2048) { NewVariant($0) } ?? []
        var seen: Set<String> = []
        for (index, variant) in variants.enumerated() {
            if let sku = variant.sku, !seen.insert(sku).inserted {
                fields.fault(at: ["variants", String(index), "sku"], "\"\(sku)\" stands twice in this product")
            }
        }
    }
}

/// What a caller gives for a new variant.
package struct NewVariant: Sendable {
    package let sku: String?
    package let barcode: String?
    package let title: String?
    package let price: Money?

    package init(_ fields: FieldReader) {
        sku = Self.trimmed(fields, "sku")
        barcode = Self.trimmed(fields, "barcode")
        title = fields.string("title", upTo: 500)
        price = Self.price(fields, fallback: nil)
    }

    /// Text without the white space that spreadsheets leave around codes.
    static func trimmed(_ fields: FieldReader, _ name: String) -> String? {
        guard let trimmed = fields.string(name, upTo: 200)?.trimmed else { return nil }
        if trimmed.isEmpty { fields.fault(name, "must not be blank") }
        return trimmed
    }

    /// A price needs its currency beside it, unless the variant already has one.
    static func price(_ fields: FieldReader, fallback: Currency?) -> Money? {
        let currency = fields.currency("currency") ?? fallback
        guard fields.value("price") != nil else { return nil }
        guard let currency else {
            if fields.value("currency") == nil { fields.fault("currency", "is required beside a price") }
            return nil
        }
        guard let price = fields.money("price", in: currency) else { return nil }
        if price.minorUnits < 0 { fields.fault("price", "must not be below zero") }
        return price
    }
}

/// What a caller changes of a product: fields that are left out stay as they are.
package struct ProductChange: Sendable {
    package let title: String?
    package let description: String?
    package let category: String?

    package init(_ fields: FieldReader) {
        title = fields.isPresent("title") ? fields.requiredString("title", upTo: 500) : nil
        description = fields.string("description", upTo: 20_000)
        category = fields.string("category", upTo: 200)
    }
}

/// What a caller changes of a variant: fields that are left out stay as they are.
package struct VariantChange: Sendable {
    package let sku: String?
    package let barcode: String?
    package let title: String?
    /// The new price's digits, read with its currency once the stored variant is at hand.
    package let price: String?
    package let currency: Currency?

    package init(_ fields: FieldReader) {
        sku = NewVariant.trimmed(fields, "sku")
        barcode = NewVariant.trimmed(fields, "barcode")
        title = fields.string("title", upTo: 500)
        currency = fields.currency("currency")
        let given = fields.value("price")
        price = given?.decimalText
        if given != nil, price == nil { fields.fault("price", "must be a number") }
        if currency != nil, given == nil { fields.fault("price", "is required beside a currency") }
    }
}
