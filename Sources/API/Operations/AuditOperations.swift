enum AuditOperations {
    static let group = OperationGroup(
        name: "Audit", summary: "Who changed what of the installation; for admins.",
        schemas: [
            "AuditEntry": .object([
                "id": .uuid, "created_at": .time, "user_id": .uuid, "role": .text,
                "api_key_id": .uuid.saying("The key that was used; null for a token.").orNull, "request_id": .text,
                "address": .text.orNull, "action": .text.saying("The name of the operation."),
                "resource": .choice(AuditSubject.self), "resource_id": .text.orNull,
                "before": state, "after": state,
            ])
        ],
        operations: [
            .get("/api/v1/audit", "listAudit", "The record, newest first.", .role(.admin))
                .asking([
                    "actor?": .uuid, "action?": .text, "resource?": .choice(AuditSubject.self), "resource_id?": .text,
                    "from?": .time, "to?": .time,
                ]).paged(.named("AuditEntry"))
        ])

    private static let state = Schema.map(.anything).orNull
}
