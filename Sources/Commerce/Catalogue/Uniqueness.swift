import Events
import Kernel
import Storage

/// What only one row may have: a variant's SKU in the tenant, a product's handle in the organisation.
///
/// The schema has the last word. This look comes first because it can say who the holder is.
enum Uniqueness {
    private struct SKU: Hashable {
        let tenant: TenantID
        let text: String
    }

    private struct Handle: Hashable {
        let scope: Scope
        let text: String
    }

    private struct Place: Hashable {
        let scope: Scope
        let category: CategoryID
    }

    /// Says for each edit what stands in its way: a SKU or handle that another has, be it one further up in this list,
    /// or a place in the tree that there is not. Asks the store only about what the edits bring in anew: nothing, or
    /// three statements an owner.
    static func refusals(of edits: [ProductEdit], in transaction: any Transaction) throws -> [(any Error)?] {
        var skus = try holders(of: edits, in: transaction)
        var handles = try handleHolders(of: edits, in: transaction)
        let places = try places(of: edits, in: transaction)
        return edits.map { edit in
            if edit.new.deletedAt != nil { return nil }
            let scope = edit.new.scope
            for variant in edit.newSKUs {
                let key = SKU(tenant: scope.tenant, text: variant.sku ?? "")
                guard let holder = skus[key], holder.variant != variant.id else { continue }
                // One that leaves in this very edit gives its SKU up before the others are written.
                let leaves = holder.product == edit.new.id && !edit.new.variants.contains { $0.id == holder.variant }
                if !leaves { return taken(key.text, by: holder.variant, of: holder.product) }
            }
            if let double = edit.doubleSKU { return taken(double.sku ?? "", by: double.id, of: edit.new.id) }
            if let text = edit.newHandle, let holder = handles[Handle(scope: scope, text: text)], holder != edit.new.id
            {
                return taken(handle: text, by: holder)
            }
            if let category = edit.newCategory, !places.contains(Place(scope: scope, category: category)) {
                return InvalidDocument(pointer: "/category_id", detail: "there is no such category")
            }
            for variant in edit.newSKUs {
                skus[SKU(tenant: scope.tenant, text: variant.sku ?? "")] = VariantStore.Holder(
                    variant: variant.id, product: edit.new.id, organisation: scope.organisation)
            }
            if let text = edit.newHandle { handles[Handle(scope: scope, text: text)] = edit.new.id }
            return nil
        }
    }

    // MARK: Asking

    private static func holders(
        of edits: [ProductEdit], in transaction: any Transaction
    ) throws -> [SKU: VariantStore.Holder] {
        var wanted: [TenantID: Set<String>] = [:]
        for edit in edits { wanted[edit.new.scope.tenant, default: []].formUnion(edit.newSKUs.compactMap(\.sku)) }
        var found: [SKU: VariantStore.Holder] = [:]
        for (tenant, skus) in wanted where !skus.isEmpty {
            for (sku, holder) in try VariantStore.holders(ofSKUs: skus.sorted(), tenant: tenant, in: transaction) {
                found[SKU(tenant: tenant, text: sku)] = holder
            }
        }
        return found
    }

    private static func handleHolders(
        of edits: [ProductEdit], in transaction: any Transaction
    ) throws -> [Handle: ProductID] {
        var wanted: [Scope: Set<String>] = [:]
        for edit in edits { if let handle = edit.newHandle { wanted[edit.new.scope, default: []].insert(handle) } }
        var found: [Handle: ProductID] = [:]
        for (scope, handles) in wanted {
            let holders = try ProductStore.holders(ofHandles: handles.sorted(), scope: scope, in: transaction)
            for (handle, product) in holders { found[Handle(scope: scope, text: handle)] = product }
        }
        return found
    }

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
    fileprivate var newSKUs: [Variant] {
        guard let old, !old.variants.isEmpty else { return new.variants.filter { $0.sku != nil } }
        let before = Dictionary(old.variants.map { ($0.id, $0.sku) }, uniquingKeysWith: { first, _ in first })
        return new.variants.filter { $0.sku != nil && before[$0.id] != $0.sku }
    }

    /// A variant whose SKU another one of the same product takes.
    fileprivate var doubleSKU: Variant? {
        var seen: [String: Variant] = [:]
        for variant in new.variants {
            if let sku = variant.sku, let other = seen.updateValue(variant, forKey: sku) { return other }
        }
        return nil
    }

    fileprivate var newHandle: String? { new.handle == old?.handle ? nil : new.handle }
    fileprivate var newCategory: CategoryID? { new.categoryID == old?.categoryID ? nil : new.categoryID }
}
