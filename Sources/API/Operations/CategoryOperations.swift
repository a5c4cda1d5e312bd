enum CategoryOperations {
    private static let root = "/api/v1/pim/categories"

    static let group = OperationGroup(
        name: "Categories", summary: "The tree that products are placed in.",
        schemas: [
            "Category": .object([
                "id": .uuid, "parent_id": .uuid.orNull, "name": .text, "path": .list(.text), "position": .integer,
                "version": .integer, "created_at": .time, "updated_at": .time,
            ])
        ],
        operations: [
            .get(root, "listCategories", "The whole tree.").answering(200, .page(.named("Category"))),
            .get("\(root)/{id}", "readCategory", "One category.").tagged().answering(200, .named("Category")),
            .post(root, "createCategory", "Makes a category.").audited(.category)
                .taking(
                    .request([
                        "name": .text(1, upTo: 200), "parent_id?": .uuid, "position?": .integer(0...1_000_000),
                    ]), example: #"{"name": "Shirts"}"#
                ).once().tagged().answering(201, .named("Category")),
            .patch("\(root)/{id}", "changeCategory", "Renames or moves a category; a null parent is the top.")
                .audited(.category)
                .taking(
                    .request([
                        "name?": .text(1, upTo: 200), "parent_id?": .uuid, "position?": .integer(0...1_000_000),
                    ]), example: #"{"name": "Long shirts"}"#
                ).versioned().answering(200, .named("Category")),
            .delete("\(root)/{id}", "deleteCategory", "Deletes a category without children.").versioned()
                .audited(.category),
        ])
}
