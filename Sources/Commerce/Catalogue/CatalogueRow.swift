import Events
import Kernel
import Storage
import Webhooks

/// One row of a bulk load: what it says of a product and of one of its variants.
package struct CatalogueRow: Sendable {
    var product: ProductChange
    let status: Product.Status?
    let variant: VariantChange?
    /// Names the product within one load: rows with the same one are of one product, whatever else they say.
    let group: String?
    /// The product that the row names by its id; it may be of another store and unknown here.
    let productID: ProductID?

    /// Reads a product's fields with one `variant` in place of the list.
    package init(_ fields: FieldReader, group: String? = nil) {
        self.group = group
        productID = group == nil ? nil : fields.id("product_id")
        product = ProductChange(fields)
        status = fields.choice("status")
        variant = fields.object("variant") { VariantChange($0) }
        if group == nil, product.newHandle == nil, variant?.newSKU == nil {
            fields.fault("variant", "with a \"sku\", or a \"handle\", is required")
        }
    }

    func sku(in scope: Scope) -> VariantStore.SKU? {
        variant?.newSKU.map { VariantStore.SKU(tenant: scope.tenant, text: $0) }
    }

    func handle(in scope: Scope) -> ProductStore.Handle? {
        product.newHandle.map { ProductStore.Handle(scope: scope, text: $0) }
    }

    /// What became of a row.
    package enum Outcome: Sendable, Equatable {
        case created(ProductID)
        case updated(ProductID)
        case unchanged(ProductID)
        /// Nothing of the row was written; pointers lead into the row.
        case refused([FieldFault])
    }
}

extension ProductChange {
    var newHandle: String? { if case .set(let handle) = handle { handle } else { nil } }
}

extension VariantChange {
    var newSKU: String? { if case .set(let sku) = sku { sku } else { nil } }
}

extension CatalogueWriter {
    /// Inserts or changes products and variants, some hundreds of rows in one transaction: a row is the variant that
    /// has its SKU, or one of the product that has its handle, or a new product. A variant without a SKU is the one
    /// with the same options. Rows of one product come out as if each had come alone; where its options don't fit
    /// together in the end, all of its rows are refused.
    ///
    /// Run it through `EventPublisher.writeAgainAfterDuplicate`, and ring the catalogue's bells after it.
    ///
    /// - Parameter isDryRun: says what would become of the rows and writes nothing.
    package func upsert(
        _ rows: [CatalogueRow], scope: Scope, by author: Author, isDryRun: Bool = false, events: EventBuffer,
        in transaction: any Transaction
    ) throws -> [CatalogueRow.Outcome] {
        var bench = try Bench(rows, scope: scope, by: author, ids: ids, now: events.now, in: transaction)
        var outcomes = rows.indices.map { bench.place(rows[$0], at: $0) }
        for (index, faults) in bench.settleOptions() { outcomes[index] = .refused(faults) }
        let places = bench.order.compactMap { bench.places[$0] }.filter { $0.edit.old != $0.edit.new }
        let refusals = try Uniqueness.refusals(of: places.map(\.edit), in: transaction)
        var edits: [ProductEdit] = []
        for (place, refusal) in zip(places, refusals) {
            guard let refusal else {
                edits.append(place.edit)
                continue
            }
            for row in place.rows { outcomes[row] = .refused(try Self.faults(of: refusal)) }
        }
        if !isDryRun { try write(edits, events: events, in: transaction) }
        return outcomes
    }

    private static func faults(of refusal: any Error) throws -> [FieldFault] {
        switch refusal {
        case let document as InvalidDocument: return document.faults
        case let refusal as Refusal: return [FieldFault(pointer: "", detail: refusal.sentence)]
        default: throw refusal
        }
    }
}

/// Products that a load is working on, from what is stored to what shall be.
private struct Bench {
    struct Place {
        var edit: ProductEdit
        var rows: [Int] = []
        var needsOptions = false
        /// Variants that a row of this load was found for.
        var found: Set<VariantID> = []
    }

    private(set) var places: [ProductID: Place] = [:]
    /// Products in the order in which rows first name them.
    private(set) var order: [ProductID] = []
    private var bySKU: [VariantStore.SKU: VariantStore.Holder]
    private var byHandle: [ProductStore.Handle: ProductID]
    private var byGroup: [String: ProductID] = [:]
    private let scope: Scope
    private let author: CatalogueWriter.Author
    private let ids: IDGenerator
    private let now: Timestamp

    init(
        _ rows: [CatalogueRow], scope: Scope, by author: CatalogueWriter.Author, ids: IDGenerator, now: Timestamp,
        in transaction: any Transaction
    ) throws {
        (self.scope, self.author, self.ids, self.now) = (scope, author, ids, now)
        let skus = try VariantStore.holders(of: Set(rows.lazy.compactMap { $0.sku(in: scope) }), in: transaction)
        let handles = try ProductStore.holders(
            of: Set(rows.lazy.compactMap { $0.handle(in: scope) }), in: transaction)
        (bySKU, byHandle) = (try skus.byKey(), try handles.byKey())
        let own = bySKU.values.filter { $0.organisation == scope.organisation }.map(\.product)
        for product in try ProductStore.fetch(
            own + Array(byHandle.values) + rows.compactMap(\.productID), scope: scope, isLocked: true, in: transaction)
        {
            places[product.id] = Place(edit: ProductEdit(from: product, to: product, by: author))
        }
    }

    /// Applies a row to the product that it means.
    mutating func place(_ row: CatalogueRow, at index: Int) -> CatalogueRow.Outcome {
        let sku = row.sku(in: scope)
        let holder = sku.flatMap { bySKU[$0] }
        let known =
            holder?.product ?? row.handle(in: scope).flatMap { byHandle[$0] } ?? row.group.flatMap { byGroup[$0] }
            ?? row.productID.flatMap { places[$0]?.edit.old?.id }
        if let known, places[known] == nil {
            return .refused([
                FieldFault(pointer: "/variant/sku", detail: "belongs to another organisation of the tenant")
            ])
        }
        do {
            var place =
                known.flatMap { places[$0] }
                ?? Place(
                    edit: ProductEdit(
                        from: nil, to: Product(id: ids.next(), scope: scope, title: "", now: now), by: author))
            let before = place.edit.new
            try change(&place, by: row, holder: holder)
            let product = place.edit.new
            place.rows.append(index)
            places[product.id] = place
            if place.rows.count == 1 { order.append(product.id) }
            if let sku, let variant = product.variants.last(where: { $0.sku == sku.text }) {
                bySKU[sku] = VariantStore.Holder(
                    variant: variant.id, product: product.id, organisation: scope.organisation)
            }
            if let handle = product.handle {
                byHandle[ProductStore.Handle(scope: scope, text: handle)] = product.id
            }
            if let group = row.group { byGroup[group] = product.id }
            if known == nil { return .created(product.id) }
            return before == product ? .unchanged(product.id) : .updated(product.id)
        } catch let error as InvalidDocument {
            return .refused(error.faults)
        } catch {
            return .refused([FieldFault(pointer: "", detail: "\(error)")])
        }
    }

    private func change(_ place: inout Place, by row: CatalogueRow, holder: VariantStore.Holder?) throws {
        let isNew = place.edit.old == nil && place.rows.isEmpty
        if isNew, row.product.title == .keep {
            throw InvalidDocument(pointer: "/title", detail: "is required for a new product")
        }
        try row.product.apply(to: &place.edit.new)
        if row.product.options != .keep { place.needsOptions = true }
        if let status = row.status, status != place.edit.new.status {
            if !isNew, !place.edit.new.status.nextStates.contains(status) {
                let from = place.edit.new.status.rawValue
                throw InvalidDocument(
                    pointer: "/status", detail: "a product can't go from \(from) to \(status.rawValue)")
            }
            place.edit.new.status = status
        }
        guard let change = row.variant else { return }
        if change.options != .keep { place.needsOptions = true }
        do throws(InvalidDocument) {
            // Two rows of one group are two variants, even where nothing tells them apart.
            let taken = row.group == nil ? [] : place.found
            if let index = index(of: change, in: place.edit.new, besides: taken, holder: holder) {
                place.found.insert(place.edit.new.variants[index].id)
                place.edit.new.variants[index] = try change.applied(to: place.edit.new.variants[index])
            } else if place.edit.new.variants.count >= Limits.productVariants {
                throw InvalidDocument(pointer: "", detail: "a product has at most \(Limits.productVariants) variants")
            } else {
                let blank = Variant(id: ids.next(), product: place.edit.new.id, now: now)
                place.edit.new.variants.append(try change.applied(to: blank))
                place.found.insert(blank.id)
            }
        } catch {
            throw InvalidDocument(error.faults.map { FieldFault(pointer: "/variant" + $0.pointer, detail: $0.detail) })
        }
    }

    private func index(
        of change: VariantChange, in product: Product, besides taken: Set<VariantID>, holder: VariantStore.Holder?
    ) -> Int? {
        if let holder { return product.variants.firstIndex { $0.id == holder.variant } }
        if change.newSKU != nil { return nil }
        let options: [UInt8]? = if case .set(let values) = change.options { OptionValue.json(values) } else { nil }
        return product.variants.firstIndex {
            $0.sku == nil && $0.keptOptions == options && !taken.contains($0.id)
        }
    }

    /// Brings the options of all products into order; answers the rows of those where that can't be, and takes these
    /// products off the bench.
    mutating func settleOptions() -> [(row: Int, faults: [FieldFault])] {
        var refused: [(row: Int, faults: [FieldFault])] = []
        for id in order {
            guard var place = places[id], place.needsOptions else { continue }
            do {
                try OptionRules.settle(&place.edit.new) { _ in "/variant/options" }
                places[id] = place
            } catch {
                let faults =
                    (error as? InvalidDocument)?.faults ?? [FieldFault(pointer: "", detail: "\(error)")]
                refused += place.rows.map { ($0, faults) }
                places[id] = nil
            }
        }
        return refused
    }
}
