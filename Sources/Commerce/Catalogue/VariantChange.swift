import Kernel

/// What a caller says of a variant: null empties a field, a missing one stays. A new variant is a change of a blank
/// one.
package struct VariantChange: Sendable, Equatable {
    package let sku: FieldChange<String>
    let barcode: FieldChange<String>
    let title: FieldChange<String>
    let options: FieldChange<[OptionValue]>
    let gtin: FieldChange<String>
    let mpn: FieldChange<String>
    let weightGrams: FieldChange<Int64>
    let imageURL: FieldChange<String>
    let amounts: VariantAmounts

    package init(_ fields: FieldReader) {
        sku = fields.codeChange("sku")
        barcode = fields.codeChange("barcode")
        title = fields.textChange("title", upTo: 500)
        options = fields.change("options") { Self.options(fields, $0) }
        gtin = fields.change("gtin") { Self.gtin(fields, $0) }
        mpn = fields.codeChange("mpn", upTo: 70)
        weightGrams = fields.change("weight_grams") { fields.integer($0, in: 0...Limits.weightGrams) }
        imageURL = fields.addressChange("image_url")
        amounts = VariantAmounts(fields)
    }

    /// The variant as it would be; throws what the stored one's currency shows to be wrong.
    func applied(to old: Variant) throws(InvalidDocument) -> Variant {
        var new = old
        new.sku = sku.applied(to: old.sku)
        new.barcode = barcode.applied(to: old.barcode)
        new.title = title.applied(to: old.title)
        switch options {
        case .keep: break
        case .clear: new.keptOptions = nil
        case .set(let values): new.keptOptions = OptionValue.json(values)
        }
        new.gtin = gtin.applied(to: old.gtin)
        new.mpn = mpn.applied(to: old.mpn)
        new.weightGrams = weightGrams.applied(to: old.weightGrams)
        new.imageURL = imageURL.applied(to: old.imageURL)
        try amounts.apply(to: &new)
        return new
    }

    private static func options(_ fields: FieldReader, _ name: String) -> [OptionValue]? {
        guard let members = fields.value(name)?.object?.members else {
            fields.fault(name, "must be an object of option names and values")
            return nil
        }
        if members.count > Limits.productOptions {
            fields.fault(name, "has more than \(Limits.productOptions) options")
            return nil
        }
        return members.compactMap { member in
            guard let text = member.value.string?.trimmed, !text.isEmpty, text.unicodeScalars.count <= 200 else {
                fields.fault(at: [name, member.name], "must be a text of 1 to 200 characters")
                return nil
            }
            return OptionValue(name: member.name, value: text)
        }
    }

    /// Kept as its digits alone.
    private static func gtin(_ fields: FieldReader, _ name: String) -> String? {
        guard let text = fields.string(name, upTo: 20)?.trimmed else { return nil }
        guard let digits = GTIN.checked(text) else {
            fields.fault(name, "must be 8, 12, 13 or 14 digits of which the last is the check digit")
            return nil
        }
        return digits
    }
}

/// What a caller gives for a new variant.
package struct NewVariant: Sendable {
    let change: VariantChange
    /// What it comes to on a blank variant, checked: applying it again can't fail.
    let checked: Variant

    package var sku: String? { checked.sku }

    package init(_ fields: FieldReader) {
        change = VariantChange(fields)
        let blank = Variant(id: .zero, product: .zero, now: Timestamp(milliseconds: 0))
        do throws(InvalidDocument) { checked = try change.applied(to: blank) } catch {
            for fault in error.faults { fields.fault(String(fault.pointer.dropFirst()), fault.detail) }
            checked = blank
        }
    }

    /// The variant with its own ids and time.
    func made(_ id: VariantID, of product: ProductID, now: Timestamp) -> Variant {
        var new = Variant(id: id, product: product, now: now)
        new.sku = checked.sku
        new.barcode = checked.barcode
        new.title = checked.title
        new.keptOptions = checked.keptOptions
        new.price = checked.price
        new.compareAt = checked.compareAt
        new.cost = checked.cost
        new.gtin = checked.gtin
        new.mpn = checked.mpn
        new.weightGrams = checked.weightGrams
        new.imageURL = checked.imageURL
        return new
    }
}
