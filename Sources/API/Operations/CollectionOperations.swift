import Commerce
import Kernel

enum CollectionOperations {
    private static let root = "/api/v1/collections"

    static let group = OperationGroup(
        name: "Collections", summary: "Lists of products, made by hand or found by a rule.",
        schemas: [
            "Collection": .object([
                "id": .uuid, "kind": .choice(Collection.Kind.self), "title": .text, "handle": .text.orNull,
                "description": .text.orNull, "rule": Schema.named("CollectionRule").orNull, "version": .integer,
                "created_at": .time, "updated_at": .time,
            ]),
            "CollectionRule": .object([
                "match?": .choice(CollectionRule.Match.self), "conditions": .list(condition, 1, upTo: 50),
            ]),
        ],
        operations: [
            .get(root, "listCollections", "All collections.").paged(.named("Collection")),
            .get("\(root)/{id}", "readCollection", "One collection.").tagged().answering(200, .named("Collection")),
            .get("\(root)/{id}/products", "listCollectionProducts", "The products of a collection, in its order.")
                .paged(.named("Product")),
            .post(root, "createCollection", "Makes a collection. Its kind stays for good.")
                .audited(.collection)
                .taking(
                    .request([
                        "kind": .choice(Collection.Kind.self), "title": .text(1, upTo: 500),
                        "handle?": .text(1, upTo: 200), "description?": .text(upTo: 20_000),
                        "rule?": .named("CollectionRule"),
                    ]), example: #"{"kind": "manual", "title": "Summer"}"#
                ).once().tagged().answering(201, .named("Collection")),
            .patch("\(root)/{id}", "changeCollection", "Changes what is named.").audited(.collection)
                .taking(
                    .request([
                        "title?": .text(1, upTo: 500), "handle?": .text(1, upTo: 200),
                        "description?": .text(upTo: 20_000), "rule?": .named("CollectionRule"),
                    ]), example: #"{"title": "Late summer"}"#
                ).versioned().answering(200, .named("Collection")),
            .put("\(root)/{id}/products", "setCollectionProducts", "The products of a list made by hand.")
                .audited(.collection)
                .taking(.request(["product_ids": .list(.uuid, upTo: Limits.collectionProducts)])).versioned()
                .answering(200, .named("Collection")),
            .delete("\(root)/{id}", "deleteCollection", "Deletes a collection; its products stay.").versioned()
                .audited(.collection),
        ])

    private static let condition = Schema.object([
        "field": .choice(CollectionRule.Condition.Field.self),
        "relation?": .choice(CollectionRule.Condition.Relation.self), "name?": .text(upTo: 100),
        "value": .either(.text, .number), "currency?": .currency,
    ])
}
