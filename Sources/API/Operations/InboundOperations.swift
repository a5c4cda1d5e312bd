enum InboundOperations {
    static let group = OperationGroup(
        name: "Inbound", summary: "Where stores and gateways post their deliveries, known by their signatures.",
        schemas: [
            "InboundAnswer": .object(["status": .choice("accepted", "duplicate", "ok"), "id?": .uuid])
        ],
        operations: [
            .post("/unified/webhook", "receiveUnified", "A gateway's delivery; 200 once it is durable.", .signature)
                .header("X-Unified-Signature", .text.saying("Hex HMAC-SHA256 of the raw body."))
                .taking(
                    .open(["connection_id": .text, "event": .text, "data?": .anything]),
                    example: #"{"connection_id": "conn-1", "event": "accounting.order.created", "data": {}}"#
                ).answering(200, .named("InboundAnswer")),
            .post(
                "/webhooks/{provider}/{connection}", "receiveNative", "A store's own delivery, in its own form.",
                .signature
            ).taking(.anything).answering(200, .named("InboundAnswer")),
        ])
}
