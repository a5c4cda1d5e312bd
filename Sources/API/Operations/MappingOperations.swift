enum MappingOperations {
    private static let root = "/api/v1/integrations/connections/{id}/mappings"

    static let group = OperationGroup(
        name: "Mappings", summary: "Which variants a store's items are.",
        schemas: ["Mapping": .object(["external_id": .text, "variant_id": .uuid, "created_at": .time])],
        operations: [
            .get(root, "listMappings", "The mapped items of a connection.").paged(.named("Mapping")),
            .put(root, "putMapping", "Maps an item to a variant, in place of what it was mapped to.").audited(.mapping)
                .taking(
                    .request(["external_id": .text(1, upTo: 200), "variant_id": .uuid]),
                    example:
                        #"{"external_id": "shirt-m", "variant_id": "0190a000-0000-7000-8000-000000000009"}"#
                ).answering(200, .named("Mapping")),
            .delete(root, "deleteMapping", "Takes a mapping away.").audited(.mapping).asking([
                "external_id": .text(1, upTo: 200)
            ]),
        ])
}
