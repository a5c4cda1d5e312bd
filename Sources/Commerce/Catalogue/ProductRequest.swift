import Kernel

/// What a caller gives for a new product.
package struct NewProduct: Sendable {
    let change: ProductChange
    let status: Product.Status
    package let variants: [NewVariant]

    package init(_ fields: FieldReader) {
        change = ProductChange(fields, isNew: true)
        status = fields.choice("status", of: Product.Status.self) ?? .draft
        if status == .discontinued { fields.fault("status", "a new product can't be discontinued") }
        variants = fields.objects("variants", upTo: Limits.productVariants) { NewVariant($0) } ?? []
        var seen: Set<String> = []
        for (index, variant) in variants.enumerated() {
            if let sku = variant.sku, !seen.insert(sku).inserted {
                fields.fault(at: ["variants", String(index), "sku"], "\"\(sku)\" stands twice in this product")
            }
        }
    }
}

/// What a caller says of a product: null empties a field, a missing one stays. Attributes are merged by their names;
/// lists are replaced.
package struct ProductChange: Sendable, Equatable {
    let title: FieldChange<String>
    package let handle: FieldChange<String>
    let description: FieldChange<String>
    let brand: FieldChange<String>
    let category: FieldChange<String>
    package internal(set) var categoryID: FieldChange<CategoryID>
    let url: FieldChange<String>
    let options: FieldChange<[String]>
    let tags: FieldChange<[String]>
    let attributes: FieldChange<[ProductDetails.Attribute]>
    let media: FieldChange<[ProductDetails.Media]>

    package init(_ fields: FieldReader) { self.init(fields, isNew: false) }

    init(_ fields: FieldReader, isNew: Bool) {
        title = isNew || fields.isPresent("title") ? .set(fields.requiredString("title", upTo: 500)) : .keep
        handle = fields.change("handle") { Self.handle(fields, $0) }
        description = fields.change("description") { fields.string($0, upTo: 20_000) }
        brand = fields.textChange("brand", upTo: 200)
        category = fields.textChange("category", upTo: 750)
        categoryID = fields.change("category_id") { fields.id($0) }
        url = fields.addressChange("url")
        options = fields.change("options") { Self.names(fields, $0, upTo: Limits.productOptions) }
        tags = fields.change("tags") { Self.names(fields, $0, upTo: Limits.productTags) }
        attributes = fields.change("attributes") { Self.attributes(fields, $0) }
        media = fields.change("media") { Self.media(fields, $0) }
    }

    /// Sets what is given. Whether options fit the variants is for `OptionRules` to say.
    func apply(to product: inout Product) throws {
        product.title = title.applied(to: product.title) ?? product.title
        product.handle = handle.applied(to: product.handle)
        product.description = description.applied(to: product.description)
        product.brand = brand.applied(to: product.brand)
        product.category = category.applied(to: product.category)
        product.categoryID = categoryID.applied(to: product.categoryID)
        product.url = url.applied(to: product.url)
        if options == .keep, tags == .keep, attributes == .keep, media == .keep { return }
        var details = try product.details
        details.options = options.applied(to: details.options) ?? []
        details.tags = tags.applied(to: details.tags) ?? []
        details.media = media.applied(to: details.media) ?? []
        switch attributes {
        case .keep: break
        case .clear: details.attributes = []
        case .set(let given): details.attributes = try Self.merged(details.attributes, given)
        }
        product.keptDetails = details.kept
    }

    private static func merged(
        _ old: [ProductDetails.Attribute], _ given: [ProductDetails.Attribute]
    ) throws(InvalidDocument) -> [ProductDetails.Attribute] {
        var merged = old
        for attribute in given {
            if let index = merged.firstIndex(where: { $0.name == attribute.name }) {
                if attribute.value == .null { merged.remove(at: index) } else { merged[index] = attribute }
            } else if attribute.value != .null {
                merged.append(attribute)
            }
        }
        if merged.count > Limits.productAttributes {
            throw InvalidDocument(
                pointer: "/attributes", detail: "would have more than \(Limits.productAttributes) members")
        }
        return merged
    }

    // MARK: Reading

    static func handle(_ fields: FieldReader, _ name: String) -> String? {
        guard let text = fields.string(name, upTo: 200) else { return nil }
        let isHandle = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (48...57).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        if text.isEmpty || !isHandle { fields.fault(name, "must be made of a-z, 0-9, \"-\" and \"_\"") }
        return text
    }

    /// Distinct names without white space around them.
    static func names(_ fields: FieldReader, _ name: String, upTo limit: Int) -> [String]? {
        guard let texts = fields.strings(name, upTo: limit) else { return nil }
        var seen: Set<String> = []
        return texts.enumerated().map { index, text in
            let trimmed = text.trimmed
            if trimmed.isEmpty || trimmed.unicodeScalars.count > 100 {
                fields.fault(at: [name, String(index)], "must have 1 to 100 characters")
            } else if !seen.insert(trimmed).inserted {
                fields.fault(at: [name, String(index)], "\"\(trimmed)\" stands twice")
            }
            return trimmed
        }
    }

    private static func attributes(_ fields: FieldReader, _ name: String) -> [ProductDetails.Attribute]? {
        guard let members = fields.value(name)?.object?.members else {
            fields.fault(name, "must be an object of names and plain values")
            return nil
        }
        if members.count > Limits.productAttributes {
            fields.fault(name, "has more than \(Limits.productAttributes) members")
        }
        for member in members {
            if member.name.isEmpty || member.name.unicodeScalars.count > 100 {
                fields.fault(at: [name, member.name], "must have a name of 1 to 100 characters")
            }
            switch member.value {
            case .array, .object:
                fields.fault(
                    at: [name, member.name], "must be a text, a number or a boolean, not \(member.value.kind)")
            case .string(let text) where text.unicodeScalars.count > 1000:
                fields.fault(at: [name, member.name], "is longer than 1000 characters")
            case .number(let digits) where digits.utf8.count > 40:
                fields.fault(at: [name, member.name], "is longer than 40 digits")
            default: break
            }
        }
        return members.map { ProductDetails.Attribute(name: $0.name, value: $0.value) }
    }

    /// Media in the order of their positions; those without one follow in the order in which they are given.
    private static func media(_ fields: FieldReader, _ name: String) -> [ProductDetails.Media]? {
        let read = fields.objects(name, upTo: Limits.productMedia) { fields in
            let url = fields.requiredString("url", upTo: Limits.addressCharacters)
            if !url.isEmpty, !WebAddress.isOne(url) {
                fields.fault("url", "must be an address that begins with https:// or http://")
            }
            let position = fields.integer("position", in: 1...Int64(Limits.productMedia))
            let media = ProductDetails.Media(url: url, alt: fields.string("alt", upTo: 500))
            return (position: position ?? .max, media: media)
        }
        let ordered = read?.enumerated().sorted {
            ($0.element.position, $0.offset) < ($1.element.position, $1.offset)
        }
        return ordered?.map(\.element.media)
    }
}
