import Commerce

enum ImportOperations {
    private static let root = "/api/v1/pim/imports"

    static let group = OperationGroup(
        name: "Import and export", summary: "The catalogue as a file, in and out.",
        schemas: ["Import": .object(one)],
        operations: [
            .get(root, "listImports", "Imports, newest first.").paged(.named("Import")),
            .post(root, "beginImport", "Takes a file and begins to bring it in; 202 once its bytes are stored.")
                .takingFile(["text/csv", "application/x-ndjson"])
                .asking([
                    "format?": .choice(CatalogueImport.Format.self).saying("In place of the content type."),
                    "currency?": .text.saying("ISO 4217, of prices that name none."),
                    "dry_run?": .choice("true", "false"),
                ]).once().answering(202, .named("Import")),
            .get("\(root)/{id}", "readImport", "One import and how far it is.").answering(200, .named("Import")),
            .get("\(root)/{id}/errors", "listImportErrors", "Rows that were refused, in the order of the file.")
                .asking(["limit?": .integer(1...1000), "cursor?": .text.saying("`next_cursor` of the page before.")])
                .answering(
                    200, .page(.object(["line": .integer, "column": .text.orNull, "reason": .text]))),
            .post("\(root)/{id}/pause", "pauseImport", "Pauses an import.").failing(409)
                .answering(200, .named("Import")),
            .post("\(root)/{id}/resume", "resumeImport", "Goes on with a paused or failed import.").failing(409)
                .answering(200, .named("Import")),
            .post("\(root)/{id}/cancel", "cancelImport", "Ends an import; what it has brought in stays.").failing(409)
                .answering(200, .named("Import")),
            .get("/api/v1/pim/export", "exportCatalogue", "The whole catalogue as a file.", .role(.member))
                .asking(["format?": .choice(CatalogueImport.Format.self)])
                .telling("X-Total-Count", Schema.integer.saying("Products that there were as it began."))
                .answering(200, .anything, as: "*/*"),
        ])

    private static let one: KeyValuePairs<String, Schema> = [
        "id": .uuid, "workflow_id": .uuid, "format": .choice(CatalogueImport.Format.self), "source": .text.orNull,
        "dry_run": .boolean,
        "state": .choice(CatalogueImport.State.self), "reason": .text.saying("Why it failed.").orNull,
        "bytes": .integer, "bytes_done": .integer,
        "rows": .object([
            "read": .integer, "created": .integer, "updated": .integer, "unchanged": .integer, "refused": .integer,
        ]),
        "errors": .integer, "requested_by": .uuid, "created_at": .time, "updated_at": .time,
        "finished_at": .time.orNull,
    ]
}
