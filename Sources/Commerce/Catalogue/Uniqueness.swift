import Events
import Kernel
import Storage

/// What only one row may have: a variant's SKU in the tenant, a product's handle in the organisation.
///
/// The schema has the last word. This look comes first because it can say who the holder is.
enum Uniqueness {
    private struct Place: Hashable {
        let scope: Scope
        let category: CategoryID
    }

    /// Says for each edit what stands in its way: a SKU or handle that another has, be it one further up in this list,
    /// or a place in the tree that there is not. Asks the store only about what the edits bring in anew, in one
    /// statement each for SKUs and handles, and one an owner for places.
    static func refusals(of edits: [ProductEdit], in transaction: any Transaction) throws -> [(any Error)?] {
        let wanted = edits.map(\.newSKUs)
        let askedSKUs = try VariantStore.holders(of: Set(wanted.lazy.joined().map(\.sku)), in: transaction)
        let askedHandles = try ProductStore.holders(of: Set(edits.lazy.compactMap(\.newHandle)), in: transaction)
        var (skus, handles) = (try askedSKUs.byKey(), try askedHandles.byKey())
        let places = try places(of: edits, in: transaction)
        return zip(edits, wanted).map { edit, newSKUs in
            if edit.new.deletedAt != nil { return nil }
            for (variant, sku) in newSKUs {
                guard let holder = skus[sku], holder.variant != variant else { continue }
                // One that leaves in this very edit gives its SKU up before the others are written.
                let leaves = holder.product == edit.new.id && !edit.new.variants.contains { $0.id == holder.variant }
                if !leaves { return taken(sku.text, by: holder.variant, of: holder.product) }
            }
            if let double = edit.doubleSKU { return taken(double.sku ?? "", by: double.id, of: edit.new.id) }
            if let handle = edit.newHandle, let holder = handles[handle], holder != edit.new.id {
                return taken(handle: handle.text, by: holder)
            }
            if let category = edit.newCategory, !places.contains(Place(scope: edit.new.scope, category: category)) {
                return InvalidDocument(pointer: "/category_id", detail: "there is no such category")
            }
            for (variant, sku) in newSKUs {
                skus[sku] = VariantStore.Holder(
                    variant: variant, product: edit.new.id, organisation: edit.new.scope.organisation)
            }
            if let handle = edit.newHandle { handles[handle] = edit.new.id }
            return nil
        }
    }

    // MARK: Asking

    private static func places(of edits: [ProductEdit], in transaction: any Transaction) throws -> Set<Place> {
        var wanted: [Scope: Set<CategoryID>] = [:]
        for edit in edits {
            if let category = edit.newCategory { wanted[edit.new.scope, default: []].insert(category) }
        }
        var found: Set<Place> = []
        for (scope, categories) in wanted {
            for category in try CategoryStore.existing(categories, scope: scope, in: transaction) {
                found.insert(Place(scope: scope, category: category))
            }
        }
        return found
    }

    // MARK: Refusals

    static func taken(_ sku: String, by variant: VariantID, of product: ProductID) -> Refusal {
        Refusal.conflict(
            "The SKU \"\(sku)\" belongs to another variant of the tenant.",
            fields: [
                Refusal.Field("sku", .string(sku)),
                Refusal.Field("holder_variant_id", .string(variant.description)),
                Refusal.Field("holder_product_id", .string(product.description)),
            ])
    }

    private static func taken(handle: String, by product: ProductID) -> Refusal {
        Refusal.conflict(
            "The handle \"\(handle)\" belongs to another product.",
            fields: [
                Refusal.Field("handle", .string(handle)),
                Refusal.Field("holder_product_id", .string(product.description)),
            ])
    }
}

extension ProductEdit {
    /// Variants that have a SKU which they had not before.
    fileprivate var newSKUs: [(variant: VariantID, sku: VariantStore.SKU)] {
        let before = old.map { old in
            Dictionary(old.variants.lazy.map { ($0.id, $0.sku) }, uniquingKeysWith: { first, _ in first })
        }
        return new.variants.compactMap { variant in
            guard let sku = variant.sku, before?[variant.id] != sku else { return nil }
            return (variant.id, VariantStore.SKU(tenant: new.scope.tenant, text: sku))
        }
    }

    /// A variant whose SKU another one of the same product takes.
    fileprivate var doubleSKU: Variant? {
        if new.variants.count < 2 { return nil }
        var seen: [String: Variant] = [:]
        for variant in new.variants {
            if let sku = variant.sku, let other = seen.updateValue(variant, forKey: sku) { return other }
        }
        return nil
    }

    fileprivate var newHandle: ProductStore.Handle? {
        guard let handle = new.handle, handle != old?.handle else { return nil }
        return ProductStore.Handle(scope: new.scope, text: handle)
    }
    fileprivate var newCategory: CategoryID? { new.categoryID == old?.categoryID ? nil : new.categoryID }
}
