/// Which variants an agent's selection leaves, and what each further choice would lead to.
struct OptionNarrowing {
    /// The selection that was met: of the one asked for as much as any variant has, or the featured variant's own.
    let selected: [CatalogueEntry.Choice]
    /// Those that match it, the featured one first: one that can be bought, if any can.
    let variants: [FeedItem.Variant]
    private let all: [FeedItem.Variant]

    /// - Parameter preferences: option names, the most wanted first. When nothing matches, options that are not among
    ///   them are given up first, then those at the end.
    init(_ item: FeedItem, selected asked: [CatalogueEntry.Choice], preferences: [String]) {
        all = item.variants
        var wanted = asked.filter { choice in item.options.contains { $0.name == choice.option } }
        var matching = Self.matching(item.variants, wanted)
        while matching.isEmpty, !wanted.isEmpty {
            let rank = wanted.indices.max { Self.rank(wanted[$0], preferences) < Self.rank(wanted[$1], preferences) }
            wanted.remove(at: rank ?? wanted.count - 1)
            matching = Self.matching(item.variants, wanted)
        }
        if let featured = matching.firstIndex(where: \.availability.canBeBought) {
            matching.insert(matching.remove(at: featured), at: 0)
        }
        variants = matching
        selected = wanted.isEmpty ? matching.first?.choices ?? [] : wanted
    }

    /// Whether there is a variant with this value and what is selected of the other options, and whether one of them
    /// can be bought.
    func signal(_ option: String, _ value: String) -> (exists: Bool, isAvailable: Bool) {
        let wanted = selected.filter { $0.option != option } + [.init(option, value)]
        let matching = Self.matching(all, wanted)
        return (!matching.isEmpty, matching.contains { $0.availability.canBeBought })
    }

    private static func matching(
        _ variants: [FeedItem.Variant], _ wanted: [CatalogueEntry.Choice]
    ) -> [FeedItem.Variant] {
        variants.filter { variant in wanted.allSatisfy { variant.choices.contains($0) } }
    }

    private static func rank(_ choice: CatalogueEntry.Choice, _ preferences: [String]) -> Int {
        preferences.firstIndex(of: choice.option) ?? preferences.count
    }
}
