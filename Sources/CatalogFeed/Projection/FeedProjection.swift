import Commerce
import Kernel

/// Makes feed items of catalogue entries: the one place where it is decided what readers see of a product.
package struct FeedProjection: Sendable {
    private let settings: FeedSettings

    package init(_ settings: FeedSettings) { self.settings = settings }

    /// A product's item, or nil where nothing of it can be sold, and what was left out with its reasons. It depends on
    /// the entry and the settings alone, so that the same catalogue gives the same bytes wherever it is built.
    package func project(_ entry: CatalogueEntry) -> (item: FeedItem?, notes: [FeedNote]) {
        var judge = EntryJudge(settings)
        let item = judge.item(entry)
        return (item, judge.notes)
    }
}

/// Judges one entry and collects the notes on it.
private struct EntryJudge {
    let settings: FeedSettings
    var notes: [FeedNote] = []
    private var seenGTINs: Set<String> = []
    private var seenChoices: Set<String> = []

    init(_ settings: FeedSettings) { self.settings = settings }

    mutating func item(_ entry: CatalogueEntry) -> FeedItem? {
        let sold = soldVariants(entry)
        guard !sold.isEmpty else { return nil }
        let title = cut(PlainText.line(entry.title), "The title", FeedLimits.title) ?? entry.id.description
        let options = options(entry, sold.map(\.variant))
        let images = images(entry)
        let url = url(entry)
        let brand = cut(entry.brand.map { PlainText.line($0) }, "The brand", FeedLimits.brand)
        let variants = sold.map { variant, price in
            self.variant(variant, price, of: title, options: options, isAlone: sold.count == 1)
        }
        let item = FeedItem(
            id: entry.id, title: title,
            description: cut(
                entry.description.map { PlainText.text($0) }, "The description", FeedLimits.description),
            url: url, handle: entry.handle, brand: brand,
            category: cut(entry.category.map { PlainText.line($0) }, "The category", FeedLimits.category),
            tags: entry.tags.map { PlainText.line($0) }.filter { !$0.isEmpty }, images: images, options: options,
            variants: variants)
        noteWhatReadersMiss(item)
        return item
    }

    // MARK: What is sold

    /// The variants that have a price, in the currency of the first of them.
    private mutating func soldVariants(
        _ entry: CatalogueEntry
    ) -> [(variant: CatalogueEntry.Variant, price: Money)] {
        if entry.variants.isEmpty {
            notes.append(FeedNote(.noVariant, .leftOut, "The product has no variant that could be sold."))
        }
        var sold: [(variant: CatalogueEntry.Variant, price: Money)] = []
        for variant in entry.variants {
            guard let price = variant.price else {
                notes.append(FeedNote(.noPrice, .leftOut, "The variant has no price.", of: variant))
                continue
            }
            if let first = sold.first?.price.currency, first != price.currency {
                let detail = "The price is in \(price.currency), those of the variants before it in \(first)."
                notes.append(FeedNote(.otherCurrency, .leftOut, detail, of: variant))
                continue
            }
            if price.minorUnits <= 0 {
                notes.append(
                    FeedNote(
                        .zeroPrice, .leftOut, "Its readers take no price of zero.", of: variant,
                        in: [.jsonld, .openai]))
            }
            sold.append((variant, price))
        }
        if sold.isEmpty, entry.variants.count > 0 {
            notes.append(FeedNote(.noPrice, .leftOut, "No variant of the product has a price."))
        }
        return sold
    }

    private mutating func variant(
        _ variant: CatalogueEntry.Variant, _ price: Money, of title: String, options: [FeedItem.Option], isAlone: Bool
    ) -> FeedItem.Variant {
        let choices = choices(of: variant, options)
        let own = variant.title.map { PlainText.line($0) }.flatMap { $0.isEmpty || $0 == title ? nil : $0 }
        let joined = choices.map(\.value).joined(separator: " / ")
        let fallback = variant.sku ?? String(variant.id.description.suffix(12))
        let label = joined.isEmpty ? own ?? (isAlone ? title : fallback) : joined
        let full = isAlone && joined.isEmpty ? title : "\(title) \u{2013} \(label)"
        if !isAlone { noteEqualChoices(variant, choices) }
        var listPrice = variant.compareAt
        if let before = listPrice, before.currency != price.currency || before.minorUnits <= price.minorUnits {
            listPrice = nil
        }
        return FeedItem.Variant(
            id: variant.id, sku: sku(variant), gtin: gtin(variant),
            mpn: variant.mpn.map { PlainText.line($0) }.flatMap { $0.isEmpty ? nil : $0 },
            // A long product's name must not push out what sets the variant apart, so it is cut and not the label.
            name: shortened(full, to: FeedLimits.title) == nil ? full : squeezed(title, label),
            label: label, choices: choices, price: price, listPrice: listPrice,
            availability: FeedAvailability(variant.stock), image: image(variant))
    }

    private func squeezed(_ title: String, _ label: String) -> String {
        let label = shortened(label, to: FeedLimits.title / 2) ?? label
        let room = FeedLimits.title - label.unicodeScalars.count - 3
        return "\(shortened(title, to: room) ?? title) \u{2013} \(label)"
    }

    // MARK: Options

    /// The options that the sold variants use, each with its values in their order.
    private func options(_ entry: CatalogueEntry, _ sold: [CatalogueEntry.Variant]) -> [FeedItem.Option] {
        var names = entry.options
        for choice in sold.flatMap(\.choices) where !names.contains(choice.option) { names.append(choice.option) }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }.compactMap { name in
            let shown = PlainText.line(name)
            var values: [String] = []
            for variant in sold {
                guard let choice = variant.choices.first(where: { $0.option == name }) else { continue }
                let value = value(choice)
                if !value.isEmpty, !values.contains(value) { values.append(value) }
            }
            if shown.isEmpty || values.isEmpty { return nil }
            return FeedItem.Option(name: shown, axis: OptionAxis(word: shown), values: values)
        }
    }

    private func value(_ choice: CatalogueEntry.Choice) -> String {
        let text = PlainText.line(choice.value)
        return shortened(text, to: FeedLimits.optionValue) ?? text
    }

    private func choices(
        of variant: CatalogueEntry.Variant, _ options: [FeedItem.Option]
    ) -> [CatalogueEntry.Choice] {
        options.compactMap { option in
            guard let choice = variant.choices.first(where: { PlainText.line($0.option) == option.name }) else {
                return nil
            }
            let value = value(choice)
            return value.isEmpty ? nil : CatalogueEntry.Choice(option.name, value)
        }
    }

    private mutating func noteEqualChoices(_ variant: CatalogueEntry.Variant, _ choices: [CatalogueEntry.Choice]) {
        if choices.isEmpty { return }
        let key = choices.map { "\($0.option)\u{1}\($0.value)" }.joined(separator: "\u{2}")
        if seenChoices.insert(key).inserted { return }
        let detail = "Another variant of the product has the same options."
        notes.append(FeedNote(.duplicateOptions, .warning, detail, of: variant, in: [.jsonld, .openai]))
    }

    // MARK: Fields

    /// Google takes a SKU without white space, and agents are shown none that is not taken elsewhere.
    private mutating func sku(_ variant: CatalogueEntry.Variant) -> String? {
        guard let sku = variant.sku else { return nil }
        if !sku.isEmpty, sku.unicodeScalars.allSatisfy({ !$0.properties.isWhitespace && $0.value >= 0x20 }) {
            return sku
        }
        notes.append(
            FeedNote(.invalidSKU, .fieldLeftOut, "The SKU has white space or control characters in it.", of: variant))
        return nil
    }

    private mutating func gtin(_ variant: CatalogueEntry.Variant) -> String? {
        guard let text = variant.gtin, !text.isEmpty else { return nil }
        guard let gtin = GTIN.checked(text) else {
            let detail = "\"\(text.prefix(40))\" is no GTIN: 8, 12, 13 or 14 digits with the right check digit."
            notes.append(FeedNote(.invalidGTIN, .fieldLeftOut, detail, of: variant))
            return nil
        }
        if seenGTINs.insert(gtin).inserted { return gtin }
        let detail = "Another variant of the product has the GTIN \(gtin)."
        notes.append(FeedNote(.duplicateGTIN, .fieldLeftOut, detail, of: variant))
        return nil
    }

    private mutating func images(_ entry: CatalogueEntry) -> [FeedItem.Image] {
        var images: [FeedItem.Image] = []
        for image in entry.images {
            guard let url = PublicAddress.normalised(image.url) else {
                noteImage(image.url, of: nil)
                continue
            }
            if images.contains(where: { $0.url == url }) || images.count > FeedLimits.furtherImages { continue }
            let text = image.text.map { PlainText.line($0) }
            images.append(FeedItem.Image(url: url, text: text?.isEmpty == true ? nil : text))
        }
        return images
    }

    private mutating func image(_ variant: CatalogueEntry.Variant) -> FeedItem.Image? {
        guard let text = variant.image else { return nil }
        if let url = PublicAddress.normalised(text) { return FeedItem.Image(url: url, text: nil) }
        noteImage(text, of: variant)
        return nil
    }

    private mutating func noteImage(_ text: String, of variant: CatalogueEntry.Variant?) {
        let detail = "The picture's address is not an absolute https URL: \(PlainText.line(text).prefix(80))"
        notes.append(FeedNote(.invalidImage, .fieldLeftOut, detail, of: variant))
    }

    private mutating func url(_ entry: CatalogueEntry) -> String? {
        guard let own = entry.url else { return settings.address(handle: entry.handle, id: entry.id) }
        if let url = PublicAddress.normalised(own) { return url }
        let detail = "The product's address is not an absolute https URL: \(PlainText.line(own).prefix(80))"
        notes.append(FeedNote(.invalidURL, .fieldLeftOut, detail))
        return settings.address(handle: entry.handle, id: entry.id)
    }

    /// The text within its limit, nil where none is left; a cut is noted.
    private mutating func cut(_ text: String?, _ what: String, _ limit: Int) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard let short = shortened(text, to: limit) else { return text }
        let length = text.unicodeScalars.count
        notes.append(
            FeedNote(.longText, .shortened, "\(what) has \(length) characters; readers take \(limit)."))
        return short
    }

    /// What the rows for OpenAI need and the listing of Google, where the item has it not.
    private mutating func noteWhatReadersMiss(_ item: FeedItem) {
        func note(_ reason: FeedNote.Reason, _ detail: String) {
            notes.append(FeedNote(reason, .leftOut, detail, in: [.openai]))
        }
        if item.url == nil { note(.noURL, "The product has no address, and no product_url is set.") }
        if item.brand == nil { note(.noBrand, "The product has no brand.") }
        if settings.sellerName == nil { note(.noSeller, "No seller_name is set.") }
        let bare = item.variants.filter { item.images(of: $0).isEmpty }
        if bare.isEmpty { return }
        notes.append(FeedNote(.noImage, .warning, "Google lists nothing without a picture.", in: [.jsonld]))
        note(.noImage, "The product has no picture.")
    }
}
