enum APIKeyOperations {
    private static let root = "/api/v1/api-keys"

    static let group = OperationGroup(
        name: "API keys", summary: "Keys for programs; for admins.",
        schemas: ["APIKey": .object(key(isNew: false)), "NewAPIKey": .object(shown)],
        operations: [
            .post(root, "createAPIKey", "Makes a key and shows it once.", .role(.admin)).audited(.apiKey)
                .taking(
                    .request(["label": .text(1, upTo: 200), "role": .choice(Role.self), "user_id?": .uuid]),
                    example: #"{"label": "import", "role": "member"}"#
                ).once().answering(201, .named("NewAPIKey")),
            .get(root, "listAPIKeys", "All keys, revoked ones included.", .role(.admin)).paged(.named("APIKey")),
            .delete("\(root)/{id}", "revokeAPIKey", "Revokes a key.", .role(.admin)).audited(.apiKey),
        ])

    private static func key(isNew: Bool) -> KeyValuePairs<String, Schema> {
        [
            "id": .uuid, "label": .text, "role": .choice(Role.self), "user_id": .uuid, "created_at": .time,
            "revoked_at": .time.orNull, "key\(isNew ? "" : "?")": .text.saying("Shown only when it is made."),
        ]
    }

    private static let shown = key(isNew: true)
}
