import Commerce
import Events
import Kernel

/// A product as its bytes in every part of the feed, empty where it does not stand.
struct RenderedProduct: Sendable, Equatable {
    struct Fragment: Sendable, Equatable {
        var bytes: [UInt8] = []
        /// Variants that it shows, or lines of the report.
        var count = 0
    }

    let id: ProductID
    /// How many variants the catalogue has of it, sold or not: what segments are measured by.
    let weight: Int
    /// One for each case of `FeedPart`.
    var fragments: [Fragment]

    static func weight(_ entry: CatalogueEntry) -> Int { max(1, entry.variants.count) }
}

/// Renders products one by one: what comes out depends on the product and the settings, never on its neighbours.
struct ProductRenderer: Sendable {
    /// Raised with every change of an emitter or of what entries hold, so that files of an older version are built
    /// anew.
    static let version = 2

    let scope: Scope
    let settings: FeedSettings

    func render(_ entry: CatalogueEntry) -> RenderedProduct {
        let (item, notes) = FeedProjection(settings).project(entry)
        return RenderedProduct(
            id: entry.id, weight: RenderedProduct.weight(entry),
            fragments: FeedPart.allCases.map { part in
                var fragment = RenderedProduct.Fragment()
                switch part {
                case .jsonld:
                    if let item { fragment.count = SchemaOrgEmitter.write(item, scope, into: &fragment.bytes) }
                case .jsonl:
                    if let item { fragment.count = UCPEmitter.write(item, settings, into: &fragment.bytes) }
                case .openai:
                    if let item { fragment.count = OpenAIEmitter.write(item, settings, into: &fragment.bytes) }
                case .report:
                    for note in notes {
                        var writer = JSONWriter()
                        note.write(entry.id, &writer)
                        fragment.bytes += writer.bytes + [0x0A]
                        fragment.count += 1
                    }
                }
                return fragment
            })
    }
}
