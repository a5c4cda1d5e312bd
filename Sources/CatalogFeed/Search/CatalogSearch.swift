import Commerce
import Events
import Kernel
import Storage

/// Answers agents of the Universal Commerce Protocol from the catalogue as it stands, in the same words as the feed.
package struct CatalogSearch: Sendable {
    /// How many times a page is filled up when filters leave too little of it: what one request may cost.
    private static let roundsLimit = 10

    private let products: ProductService
    private let source: CatalogFeedSource

    package init(products: ProductService, database: any Database) {
        self.products = products
        source = CatalogFeedSource(database: database)
    }

    // MARK: Search

    /// Active products whose words, category and price match, in the order in which they were made.
    package func search(_ request: CatalogRequest.Search, _ scope: Scope) async throws -> [UInt8] {
        let settings = try await source.state(scope).settings
        var query = ProductQuery(limit: request.limit + 1)
        query.text = request.query.flatMap { $0.trimmed.isEmpty ? nil : $0 }
        query.status = .active
        if request.categories.count == 1, let shown = request.categories.first {
            query.category = shown
            query.categoryPlace = try await source.place(shown, scope)
        }
        if let cursor = request.cursor {
            guard let place = ProductQuery.Cursor(cursor) else {
                throw InvalidDocument(pointer: "/pagination/cursor", detail: "is none of this search's")
            }
            query.cursor = place
        }
        var items: [FeedItem] = []
        var next: ProductID?
        for round in 1...Self.roundsLimit {
            let page = try await products.list(query, scope: scope).map(\.id)
            let found = try await self.items(page, scope, settings)
            for id in page {
                guard let item = found[id], matches(item, request) else { continue }
                if items.count == request.limit {
                    next = items.last?.id
                    break
                }
                items.append(item)
            }
            guard next == nil, page.count > request.limit, let last = page.last else { break }
            query.cursor = .after(last)
            if round == Self.roundsLimit { next = last }
        }
        return answer("search", settings) { writer in
            writer.arrayField("products") { writer in
                for item in items { writer.object { writer in whole(item, settings, &writer) } }
            }
            writer.objectField("pagination") { writer in
                if let next { writer.field("cursor", next) }
                writer.field("has_next_page", next != nil)
            }
            if request.currency == nil, request.least != nil || request.most != nil {
                notes(&writer, "price_filter_ignored", "The price filter needs context.currency.")
            }
        }
    }

    private func matches(_ item: FeedItem, _ request: CatalogRequest.Search) -> Bool {
        if !request.categories.isEmpty, !request.categories.contains(item.category ?? "") { return false }
        guard let currency = request.currency, request.least != nil || request.most != nil else { return true }
        return item.variants.contains { variant in
            let amount = variant.price.minorUnits
            return variant.price.currency.code == currency && amount >= request.least ?? .min
                && amount <= request.most ?? .max
        }
    }

    // MARK: Lookup

    /// The products that the ids name, each with the variants that they name; unknown ids answer nothing.
    package func lookup(_ request: CatalogRequest.Lookup, _ scope: Scope) async throws -> [UInt8] {
        let settings = try await source.state(scope).settings
        let named = try await source.named(request.ids, scope)
        let items = try await items(Set(named.map(\.product)).sorted(), scope, settings)
        return answer("lookup", settings) { writer in
            writer.arrayField("products") { writer in
                var shown: Set<ProductID> = []
                for name in named where shown.insert(name.product).inserted {
                    guard let item = items[name.product] else { continue }
                    let inputs = inputs(item, named.filter { $0.product == item.id })
                    if inputs.isEmpty { continue }
                    writer.object { writer in
                        UCPEmitter.product(item, &writer)
                        writer.arrayField("variants") { writer in
                            for variant in item.variants where inputs[variant.id] != nil {
                                writer.object { writer in
                                    UCPEmitter.variant(variant, of: item, settings, &writer)
                                    write(inputs[variant.id] ?? [], &writer)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Which of the ids each variant answers: its own, or its product's where it is the one to show.
    private func inputs(
        _ item: FeedItem, _ named: [CatalogFeedSource.Named]
    ) -> [VariantID: [(id: String, match: String)]] {
        let featured = item.variants.first(where: \.availability.canBeBought) ?? item.variants.first
        var inputs: [VariantID: [(id: String, match: String)]] = [:]
        for name in named {
            if let variant = name.variant {
                if item.variants.contains(where: { $0.id == variant }) {
                    inputs[variant, default: []].append((name.text, "exact"))
                }
            } else if let featured {
                inputs[featured.id, default: []].append((name.text, "featured"))
            }
        }
        return inputs
    }

    private func write(_ inputs: [(id: String, match: String)], _ writer: inout JSONWriter) {
        writer.arrayField("inputs") { writer in
            for input in inputs {
                writer.object { writer in
                    writer.field("id", input.id)
                    writer.field("match", input.match)
                }
            }
        }
    }

    // MARK: Detail

    /// One product with the variants that a selection leaves. What is not there is a finding and no failure: the
    /// protocol wants it told in an answer like any other.
    package func detail(_ request: CatalogRequest.Detail, _ scope: Scope) async throws -> [UInt8] {
        let settings = try await source.state(scope).settings
        let named = try await source.named([request.id], scope).first
        let items = try await items(named.map { [$0.product] } ?? [], scope, settings)
        guard let named, let item = items[named.product] else {
            return answer("lookup", settings, isFound: false) { writer in
                writer.arrayField("messages") { writer in
                    writer.object { writer in
                        writer.field("type", "error")
                        writer.field("code", "not_found")
                        writer.field("content", "There is no such product.")
                        writer.field("severity", "unrecoverable")
                    }
                }
            }
        }
        var selected = request.selected
        if selected.isEmpty, let variant = item.variants.first(where: { $0.id == named.variant }) {
            selected = variant.choices
        }
        let narrowing = OptionNarrowing(item, selected: selected, preferences: request.preferences)
        return answer("lookup", settings) { writer in
            writer.objectField("product") { writer in
                UCPEmitter.product(item, hasOptions: false, &writer)
                write(item, narrowing, &writer)
                writer.arrayField("variants") { writer in
                    for variant in narrowing.variants {
                        writer.object { writer in UCPEmitter.variant(variant, of: item, settings, &writer) }
                    }
                }
            }
        }
    }

    private func write(_ item: FeedItem, _ narrowing: OptionNarrowing, _ writer: inout JSONWriter) {
        if item.options.isEmpty { return }
        writer.arrayField("selected") { writer in
            for choice in narrowing.selected {
                writer.object { writer in
                    writer.field("name", choice.option)
                    writer.field("label", choice.value)
                }
            }
        }
        writer.arrayField("options") { writer in
            for option in item.options {
                writer.object { writer in
                    writer.field("name", option.name)
                    writer.arrayField("values") { writer in
                        for value in option.values {
                            let signal = narrowing.signal(option.name, value)
                            writer.object { writer in
                                writer.field("label", value)
                                writer.field("available", signal.isAvailable)
                                writer.field("exists", signal.exists)
                            }
                        }
                    }
                }
            }
        }
    }

    // MARK: Parts

    private func items(
        _ ids: [ProductID], _ scope: Scope, _ settings: FeedSettings
    ) async throws -> [ProductID: FeedItem] {
        let projection = FeedProjection(settings)
        let entries = try await source.entries(ids, scope, .interactive)
        return Dictionary(
            uniqueKeysWithValues: entries.compactMap { entry in
                projection.project(entry).item.map { (entry.id, $0) }
            })
    }

    private func whole(_ item: FeedItem, _ settings: FeedSettings, _ writer: inout JSONWriter) {
        UCPEmitter.product(item, &writer)
        writer.arrayField("variants") { writer in
            for variant in item.variants {
                writer.object { writer in UCPEmitter.variant(variant, of: item, settings, &writer) }
            }
        }
    }

    private func notes(_ writer: inout JSONWriter, _ code: String, _ content: String) {
        writer.arrayField("messages") { writer in
            writer.object { writer in
                writer.field("type", "info")
                writer.field("code", code)
                writer.field("content", content)
            }
        }
    }

    private func answer(
        _ capability: String, _ settings: FeedSettings, isFound: Bool = true, _ body: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(reserving: 16 << 10)
        writer.object { writer in
            writer.objectField("ucp") { writer in
                writer.field("version", UCPEmitter.version)
                writer.field("status", isFound ? "success" : "error")
                writer.objectField("capabilities") { writer in
                    writer.arrayField("dev.ucp.shopping.catalog.\(capability)") { writer in
                        writer.object { $0.field("version", UCPEmitter.version) }
                    }
                }
            }
            body(&writer)
        }
        return writer.bytes
    }
}
