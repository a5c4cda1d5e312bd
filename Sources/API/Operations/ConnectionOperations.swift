import Connectors
import Integrations

enum ConnectionOperations {
    private static let root = "/api/v1/integrations"

    static let group = OperationGroup(
        name: "Connections", summary: "Links to stores and platforms, and what they sent.",
        schemas: [
            "Connection": .object(members),
            "InboxEntry": .object([
                "id": .uuid, "event": .text, "state": .choice("queued", "processed", "ignored", "stale", "parked"),
                "reason": .text.orNull, "order_id": .uuid.orNull, "workflow_id": .uuid.orNull, "received_at": .time,
                "payload?": .text.saying("The body as it came; for admins."),
            ]),
            "RotatedInboundSecret": .object([
                "webhook_secret": .text.saying("Shown only here."), "overlap_hours": .integer,
            ]),
        ],
        operations: [
            .post("\(root)/callback", "saveConnection", "Saves a connection and shows its secret once.").audited(
                .connection
            )
            .taking(
                .request([
                    "connection_id": .text(1, upTo: 200), "category?": .choice(ConnectionCategory.self),
                    "provider": .choice(of: ConnectionService.Request.providers),
                ]), example: #"{"connection_id": "conn-1", "category": "commerce", "provider": "unified"}"#
            )
            .once().answering(
                201, .object(["status": .choice("success"), "message": .text, "connection": saved])),
            .get("\(root)/connections", "listConnections", "The active connections, or all.")
                .asking(["status?": .choice("active", "all")])
                .answering(200, .object(["connections": .list(.named("Connection"))])),
            .get("\(root)/connections/{id}", "readConnection", "One connection.")
                .answering(200, .named("Connection")),
            .patch("\(root)/connections/{id}", "setConnectionStatus", "Pauses or resumes a connection.").audited(
                .connection
            )
            .taking(.request(["status": .choice("active", "paused")]), example: #"{"status": "paused"}"#)
            .failing(409).answering(200, .named("Connection")),
            .delete("\(root)/connections/{id}", "disconnect", "Disconnects a store.").audited(.connection).failing(409),
            .get("\(root)/connections/{id}/inbox", "listInbox", "What a connection delivered, newest first.")
                .paged(.named("InboxEntry")),
            .post("\(root)/connections/{id}/inbox/{entry}/retry", "retryInboxEntry", "Processes a delivery again.")
                .failing(409).answering(202, .queued),
            .post(
                "\(root)/connections/{id}/rotate-secret", "rotateConnectionSecret",
                "A new inbound secret; the one before holds on for the overlap.", .role(.admin)
            ).audited(.inboundSecret).taking(rotation, isRequired: false).once().answering(
                200, .named("RotatedInboundSecret")),
            .post(
                "\(root)/workspace/rotate-secret", "rotateWorkspaceSecret",
                "The same for the secret of all gateway connections.", .role(.admin)
            ).audited(.inboundSecret).taking(rotation, isRequired: false).once().answering(
                200, .named("RotatedInboundSecret")),
        ])

    private static let rotation = Schema.request(["overlap_hours?": .integer(0...168), "secret?": .text(16, upTo: 512)])

    private static let members: KeyValuePairs<String, Schema> = [
        "id": .uuid, "connection_id": .text.saying("Its name at the gateway or store."), "provider": .text,
        "category": .choice(ConnectionCategory.self), "status": .choice(Connection.Status.self), "health": health,
        "created_at": .time, "updated_at": .time,
    ]

    private static let saved = Schema.object(members, ["webhook_secret": .text.saying("Shown only here.")])

    private static let health = Schema.object([
        "state": .choice("waiting", "receiving"), "last_received_at": .time.orNull,
    ])
}

extension Schema {
    /// What is said of work that goes on after the answer.
    static let queued = Schema.object(["status": .choice("queued"), "workflow_id": .uuid])
}
