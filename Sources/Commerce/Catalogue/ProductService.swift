import Durable
import Events
import Kernel
import Storage
import Webhooks

/// What callers can do with products and variants. Each change raises its event; each new SKU is looked for among the
/// order lines that are still unmatched.
package struct ProductService: Sendable {
    private let publisher: EventPublisher
    private let rematch: WorkflowRunner
    private let ids: IDGenerator

    /// - Parameter rematch: the runner of `OrderRematch`.
    package init(publisher: EventPublisher, rematch: WorkflowRunner, ids: IDGenerator) {
        self.publisher = publisher
        self.rematch = rematch
        self.ids = ids
    }

    // MARK: Reading

    /// A product with its variants; deleted ones and those of other owners are not found alike.
    package func require(_ id: ProductID, scope: Scope) async throws -> Product {
        let found = try await publisher.database.read { try ProductStore.fetch(id, scope: scope, in: $0) }
        guard let found else { throw Refusal.notFound("product") }
        return found
    }

    /// A page of products by their ids, each with its variants.
    package func list(scope: Scope, after: ProductID?, limit: Int) async throws -> [Product] {
        try await publisher.database.read {
            try ProductStore.list(scope: scope, after: after, limit: limit, in: $0)
        }
    }

    // MARK: Creating

    /// Saves a product with its variants. A SKU that the tenant has already is a conflict that names its holder.
    package func create(_ new: NewProduct, scope: Scope, actor: Actor) async throws -> Product {
        let id: ProductID = ids.next()
        let product = try await publisher.writeAgainAfterDuplicate { transaction, events in
            let variants = new.variants.map { variant($0, of: id, now: events.now) }
            try refuseTaken(variants.compactMap(\.sku), scope, in: transaction)
            let product = Product(
                id: id, scope: scope, title: new.title, description: new.description, category: new.category,
                status: new.status, variants: variants, version: 1, createdAt: events.now, updatedAt: events.now)
            try ProductStore.insert(product, in: transaction)
            events.append(ProductCreated(product: product.payload), scope: scope, actor: actor, source: "api")
            try OrderRematch.begin(for: variants, scope: scope, ids: ids, now: events.now, in: transaction)
            return product
        }
        rematch.wake()
        return product
    }

    /// Gives a product one more variant, under the same rule for its SKU as a new product.
    package func addVariant(
        _ new: NewVariant, to id: ProductID, scope: Scope, actor: Actor
    ) async throws -> Variant {
        let added = try await publisher.writeAgainAfterDuplicate { transaction, events in
            var product = try lock(id, scope, in: transaction)
            let variant = variant(new, of: id, now: events.now)
            try refuseTaken([variant.sku].compactMap { $0 }, scope, in: transaction)
            try ProductStore.insert([variant], scope: scope, in: transaction)
            product.variants.append(variant)
            try changed(&product, ["variants"], actor: actor, events: events, in: transaction)
            try OrderRematch.begin(for: [variant], scope: scope, ids: ids, now: events.now, in: transaction)
            return variant
        }
        rematch.wake()
        return added
    }

    // MARK: Changing

    /// Sets the fields that are given. When none of them differs nothing is written and nothing is told.
    package func change(_ id: ProductID, _ change: ProductChange, scope: Scope, actor: Actor) async throws -> Product {
        try await publisher.write { transaction, events in
            var product = try lock(id, scope, in: transaction)
            var names: [String] = []
            if let title = change.title, title != product.title {
                product.title = title
                names.append("title")
            }
            if let text = change.description, text != product.description {
                product.description = text
                names.append("description")
            }
            if let category = change.category, category != product.category {
                product.category = category
                names.append("category")
            }
            if !names.isEmpty {
                try changed(&product, names, actor: actor, events: events, in: transaction)
            }
            return product
        }
    }

    /// Sets the fields of a variant that are given; a new price is told with the old one beside it.
    package func changeVariant(
        _ variantID: VariantID, of id: ProductID, _ change: VariantChange, scope: Scope, actor: Actor
    ) async throws -> Variant {
        let result = try await publisher.writeAgainAfterDuplicate { transaction, events in
            var product = try lock(id, scope, in: transaction)
            guard let index = product.variants.firstIndex(where: { $0.id == variantID }) else {
                throw Refusal.notFound("variant")
            }
            let old = product.variants[index]
            let new = try changed(old, by: change, now: events.now)
            if new == old { return old }
            if let sku = new.sku, sku != old.sku { try refuseTaken([sku], scope, in: transaction) }
            try ProductStore.update(new, in: transaction)
            product.variants[index] = new
            try self.changed(&product, ["variants"], actor: actor, events: events, in: transaction)
            if new.price != old.price {
                events.append(
                    ProductPriceChanged(product: product.payload, variant: new.payload, oldPrice: old.price),
                    scope: scope, actor: actor, source: "api")
            }
            if new.sku != old.sku {
                // The old SKU too: where it made another one ambiguous it does so no more.
                try OrderRematch.begin(for: [new, old], scope: scope, ids: ids, now: events.now, in: transaction)
            }
            return new
        }
        rematch.wake()
        return result
    }

    private func changed(_ old: Variant, by change: VariantChange, now: Timestamp) throws -> Variant {
        var new = old
        new.sku = change.sku ?? old.sku
        new.barcode = change.barcode ?? old.barcode
        new.title = change.title ?? old.title
        if let digits = change.price {
            guard let currency = change.currency ?? old.price?.currency else {
                throw InvalidDocument(pointer: "/currency", detail: "is required beside a price")
            }
            do throws(MoneyError) { new.price = try Money(digits, in: currency) } catch {
                throw InvalidDocument(pointer: "/price", detail: error.description)
            }
            if let price = new.price, price.minorUnits < 0 {
                throw InvalidDocument(pointer: "/price", detail: "must not be below zero")
            }
        }
        if new != old {
            new.version += 1
            new.updatedAt = now
        }
        return new
    }

    // MARK: Parts

    private func lock(_ id: ProductID, _ scope: Scope, in transaction: any Transaction) throws -> Product {
        guard let product = try ProductStore.fetch(id, scope: scope, isLocked: true, in: transaction) else {
            throw Refusal.notFound("product")
        }
        return product
    }

    private func variant(_ new: NewVariant, of product: ProductID, now: Timestamp) -> Variant {
        Variant(
            id: ids.next(), product: product, sku: new.sku, barcode: new.barcode, title: new.title, price: new.price,
            version: 1, createdAt: now, updatedAt: now)
    }

    private func changed(
        _ product: inout Product, _ names: [String], actor: Actor, events: EventBuffer, in transaction: any Transaction
    ) throws {
        product.version += 1
        product.updatedAt = events.now
        try ProductStore.update(product, in: transaction)
        events.append(
            ProductUpdated(product: product.payload, changed: names), scope: product.scope, actor: actor,
            source: "api")
    }

    private func refuseTaken(_ skus: [String], _ scope: Scope, in transaction: any Transaction) throws {
        if skus.isEmpty { return }
        guard let holder = try ProductStore.holder(ofAny: skus, tenant: scope.tenant, in: transaction) else { return }
        throw Refusal.conflict(
            "The SKU \"\(holder.sku)\" belongs to another variant of the tenant.",
            fields: [
                Refusal.Field("sku", .string(holder.sku)),
                Refusal.Field("holder_variant_id", .string(holder.variant.description)),
                Refusal.Field("holder_product_id", .string(holder.product.description)),
            ])
    }
}
