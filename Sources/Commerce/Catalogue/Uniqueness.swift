import Events
import Kernel
import Storage

/// What only one row may have: a variant's SKU in the tenant, a product's handle in the organisation.
///
/// The schema has the last word. This look comes first because it can say who the holder is.
enum Uniqueness {
    /// Refuses edits that take what another product or variant has, and places in the tree that there are not. Asks
    /// the store only about what the edits bring in anew.
    static func check(_ edits: [ProductEdit], in transaction: any Transaction) throws {
        for edit in edits where edit.new.deletedAt == nil {
            try checkSKUs(edit, in: transaction)
            try checkHandle(edit, in: transaction)
            if let category = edit.new.categoryID, category != edit.old?.categoryID {
                try CategoryStore.requireExisting(category, scope: edit.new.scope, in: transaction)
            }
        }
    }

    private static func checkSKUs(_ edit: ProductEdit, in transaction: any Transaction) throws {
        let own = edit.old?.variants ?? []
        var wanted: [String: VariantID] = [:]
        for variant in edit.new.variants {
            guard let sku = variant.sku, own.first(where: { $0.id == variant.id })?.sku != sku else { continue }
            if let other = edit.new.variants.first(where: { $0.sku == sku && $0.id != variant.id }) {
                throw taken(sku, by: other.id, of: edit.new.id)
            }
            wanted[sku] = variant.id
        }
        if wanted.isEmpty { return }
        let skus = wanted.keys.sorted()
        let holders = try VariantStore.holders(ofSKUs: skus, tenant: edit.new.scope.tenant, in: transaction)
        for sku in skus {
            guard let holder = holders[sku], holder.variant != wanted[sku] else { continue }
            // One that leaves in this very edit gives its SKU up before the others are written.
            let leaves =
                holder.product == edit.new.id && !edit.new.variants.contains { $0.id == holder.variant }
            if !leaves { throw taken(sku, by: holder.variant, of: holder.product) }
        }
    }

    static func taken(_ sku: String, by variant: VariantID, of product: ProductID) -> Refusal {
        Refusal.conflict(
            "The SKU \"\(sku)\" belongs to another variant of the tenant.",
            fields: [
                Refusal.Field("sku", .string(sku)),
                Refusal.Field("holder_variant_id", .string(variant.description)),
                Refusal.Field("holder_product_id", .string(product.description)),
            ])
    }

    private static func checkHandle(_ edit: ProductEdit, in transaction: any Transaction) throws {
        guard let handle = edit.new.handle, handle != edit.old?.handle else { return }
        let holders = try ProductStore.holders(ofHandles: [handle], scope: edit.new.scope, in: transaction)
        guard let holder = holders[handle], holder != edit.new.id else { return }
        throw Refusal.conflict(
            "The handle \"\(handle)\" belongs to another product.",
            fields: [
                Refusal.Field("handle", .string(handle)),
                Refusal.Field("holder_product_id", .string(holder.description)),
            ])
    }
}
