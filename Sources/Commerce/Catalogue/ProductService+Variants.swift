import Events
import Kernel

extension ProductService {
    /// Gives a product one more variant, under the same rule for its SKU as a new product.
    package func addVariant(
        _ new: NewVariant, to id: ProductID, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> (variant: Variant, product: Product) {
        let variantID: VariantID = ids.next()
        return try await withVariant(variantID, of: id, ifMatch, scope, actor) { product, now in
            if product.variants.count >= Limits.productVariants {
                throw Refusal.conflict("A product has at most \(Limits.productVariants) variants.")
            }
            product.variants.append(new.made(variantID, of: id, now: now))
            return new.change.options != .keep
        }
    }

    /// Sets the fields of a variant that are given; a new price is told with the old one beside it.
    package func changeVariant(
        _ variantID: VariantID, of id: ProductID, _ change: VariantChange, ifMatch: VersionMatch = .any, scope: Scope,
        actor: Actor
    ) async throws -> (variant: Variant, product: Product) {
        try await withVariant(variantID, of: id, ifMatch, scope, actor) { product, _ in
            guard let index = product.variants.firstIndex(where: { $0.id == variantID }) else {
                throw Refusal.notFound("variant")
            }
            product.variants[index] = try change.applied(to: product.variants[index])
            return change.options != .keep
        }
    }

    /// Takes a variant out of its product. Its row stays for the orders that name it; its SKU is free.
    package func removeVariant(
        _ variantID: VariantID, of id: ProductID, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> Product {
        try await edit(id, ifMatch, scope, actor) { product, _ in
            guard let index = product.variants.firstIndex(where: { $0.id == variantID }) else {
                throw Refusal.notFound("variant")
            }
            product.variants.remove(at: index)
        }
    }

    /// Changes a product through one of its variants. `body` answers whether options have to be looked at.
    private func withVariant(
        _ variantID: VariantID, of id: ProductID, _ match: VersionMatch, _ scope: Scope, _ actor: Actor,
        _ body: @escaping @Sendable (inout Product, Timestamp) throws -> Bool
    ) async throws -> (variant: Variant, product: Product) {
        let product = try await edit(id, match, scope, actor) { product, now in
            guard try body(&product, now) else { return }
            let index = product.variants.firstIndex { $0.id == variantID }
            try OptionRules.settle(&product) { $0 == index ? "/options" : nil }
        }
        guard let variant = product.variants.first(where: { $0.id == variantID }) else {
            throw Refusal.notFound("variant")
        }
        return (variant, product)
    }
}
