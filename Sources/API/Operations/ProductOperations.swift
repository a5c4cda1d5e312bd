import Commerce
import Kernel

enum ProductOperations {
    private static let root = "/api/v1/pim/products"

    static let group = OperationGroup(
        name: "Products", summary: "What is sold, and in which forms.",
        schemas: [
            "Product": .object([
                "id": .uuid, "handle": .text.orNull, "title": .text, "description": .text.orNull,
                "brand": .text.orNull, "category": .text.orNull, "category_id": .uuid.orNull, "url": .text.orNull,
                "status": .choice(Product.Status.self), "options": .list(.text), "tags": .list(.text),
                "attributes": .map(.anything),
                "media": .list(.object(["url": .text, "alt": .text.orNull, "position": .integer])),
                "variants": .list(.named("Variant")), "version": .integer, "created_at": .time, "updated_at": .time,
            ]),
            "Variant": .object([
                "id": .uuid, "product_id": .uuid, "sku": .text.orNull, "barcode": .text.orNull,
                "title": .text.orNull, "options": .map(.text), "price": Schema.amount.orNull,
                "compare_at_price": Schema.amount.orNull, "currency": .text.orNull,
                "cost_price?": Schema.amount.saying("For members.").orNull,
                "cost_currency?": .text.saying("For members.").orNull, "gtin": .text.orNull, "mpn": .text.orNull,
                "weight_grams": .integer.orNull, "image_url": .text.orNull, "version": .integer,
                "created_at": .time, "updated_at": .time,
            ]),
            "VariantRequest": .request(variant),
        ],
        operations: products + variants)

    private static let products: [Operation] = [
        .post(root, "createProduct", "Makes a product with its variants.")
            .taking(
                .request([
                    "title": .text(1, upTo: 500), "status?": .choice("draft", "active", "inactive"),
                    "handle?": handle, "description?": .text(upTo: 20_000), "brand?": .text(upTo: 200),
                    "category?": .text(upTo: 750), "category_id?": .uuid, "url?": address, "options?": names,
                    "tags?": tags, "attributes?": attributes, "media?": media,
                    "variants?": .list(.named("VariantRequest"), upTo: Limits.productVariants),
                ]),
                example: """
                    {"title": "Shirt", "status": "active",
                     "variants": [{"sku": "SHIRT-M", "price": 149.99, "currency": "USD"}]}
                    """
            ).once().tagged().answering(201, .named("Product")),
        .get(root, "listProducts", "Products, found by words, codes, status or time of change.")
            .asking([
                "q?": .text, "sku?": .text, "barcode?": .text, "status?": .choice(Product.Status.self),
                "brand?": .text, "category?": .text.saying("A category's id, or the products' own word."),
                "updated_since?": .time,
            ]).paged(.named("Product")),
        .get("\(root)/{id}", "readProduct", "One product.").tagged().answering(200, .named("Product")),
        .patch("\(root)/{id}", "changeProduct", "Changes what is named; null empties a field.")
            .taking(
                .request([
                    "title?": .text(1, upTo: 500), "handle?": handle, "description?": .text(upTo: 20_000),
                    "brand?": .text(upTo: 200), "category?": .text(upTo: 750), "category_id?": .uuid,
                    "url?": address, "options?": names, "tags?": tags, "attributes?": attributes, "media?": media,
                ]), example: #"{"title": "Shirt, long"}"#
            ).versioned().answering(200, .named("Product")),
        .delete("\(root)/{id}", "deleteProduct", "Takes a product out of the catalogue.").versioned(),
        .post("\(root)/{id}/activate", "activateProduct", "Puts a product on sale.").versioned()
            .answering(200, .named("Product")),
        .post("\(root)/{id}/deactivate", "deactivateProduct", "Takes a product off sale.").versioned()
            .answering(200, .named("Product")),
        .post("\(root)/{id}/discontinue", "discontinueProduct", "Ends a product for good.").versioned()
            .answering(200, .named("Product")),
    ]

    private static let variants: [Operation] = [
        .get("\(root)/{id}/variants", "listVariants", "All variants of a product.")
            .answering(200, .page(.named("Variant"))),
        .post("\(root)/{id}/variants", "addVariant", "Adds a variant. The ETag is the product's.")
            .taking(.named("VariantRequest"), example: #"{"sku": "SHIRT-L", "price": 149.99, "currency": "USD"}"#)
            .once().versioned().answering(201, .named("Variant")),
        .patch("\(root)/{id}/variants/{variant}", "changeVariant", "Changes what is named of a variant.")
            .taking(.named("VariantRequest"), example: #"{"price": 129.99}"#).versioned()
            .answering(200, .named("Variant")),
        .delete("\(root)/{id}/variants/{variant}", "deleteVariant", "Takes a variant away.").versioned(),
    ]

    // MARK: Fields

    private static let handle = Schema.text(1, upTo: 200).saying("Of a-z, 0-9, \"-\" and \"_\".")
    private static let address = Schema.text(upTo: Limits.addressCharacters).saying("An http or https address.")
    private static let names = Schema.list(.text(1, upTo: 100), upTo: Limits.productOptions)
    private static let tags = Schema.list(.text(1, upTo: 100), upTo: Limits.productTags)
    private static let attributes = Schema.map(.anything).saying("Names and plain values; null takes one away.")
    private static let media = Schema.list(
        .request(["url": address, "alt?": .text(upTo: 500), "position?": .integer(1...Int64(Limits.productMedia))]),
        upTo: Limits.productMedia)

    private static let variant: KeyValuePairs<String, Schema> = [
        "sku?": .text, "barcode?": .text, "title?": .text(upTo: 500), "options?": .map(.text(1, upTo: 200)),
        "gtin?": .text.saying("8, 12, 13 or 14 digits with the check digit."), "mpn?": .text(upTo: 70),
        "weight_grams?": .integer(0...Limits.weightGrams), "image_url?": address, "price?": .givenAmount,
        "compare_at_price?": .givenAmount, "currency?": .currency, "cost_price?": .givenAmount,
        "cost_currency?": .currency,
    ]
}
