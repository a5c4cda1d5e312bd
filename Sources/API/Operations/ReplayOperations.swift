import Webhooks

enum ReplayOperations {
    private static let root = "/api/v1/webhooks/replays"

    static let group = OperationGroup(
        name: "Replays", summary: "Past events once more, to one subscription.",
        schemas: ["Replay": .object(replay(isOne: false)), "ReplayDetail": .object(detail)],
        operations: [
            .get(root, "listReplays", "Replays, newest first.").paged(.named("Replay")),
            .get("\(root)/{id}", "readReplay", "One replay, with what became of its deliveries.")
                .answering(200, .named("ReplayDetail")),
            .post(root, "beginReplay", "Counts, and begins unless `dry_run` asks for the number alone.").audited(
                .replay
            )
            .taking(
                .request([
                    "subscription_id": .uuid, "since": .time, "until?": .time,
                    "event_types?": .list(.text, upTo: 100), "only?": .choice(Replay.Selection.self),
                    "rate?": .integer(1...10_000), "dry_run?": .boolean,
                ])
            ).once().failing(404).answering(202, .named("Replay"))
            .answering(200, .object(["dry_run": .boolean, "total": .integer])),
            .patch("\(root)/{id}", "changeReplay", "Sets its rate or state.").audited(.replay)
                .taking(
                    .request([
                        "state?": .choice("running", "paused", "cancelled"),
                        "rate?": .integer(1...10_000).orNull.saying("Null takes the bound away."),
                    ]), example: #"{"rate": 100}"#
                ).failing(409).answering(200, .named("Replay")),
            .post("\(root)/{id}/pause", "pauseReplay", "Pauses a replay.").audited(.replay).failing(409)
                .answering(200, .named("Replay")),
            .post("\(root)/{id}/resume", "resumeReplay", "Goes on with a paused replay.").audited(.replay).failing(409)
                .answering(200, .named("Replay")),
            .post("\(root)/{id}/cancel", "cancelReplay", "Ends a replay.").audited(.replay).failing(409)
                .answering(200, .named("Replay")),
        ])

    private static func replay(isOne: Bool) -> KeyValuePairs<String, Schema> {
        [
            "id": .uuid, "workflow_id": .uuid, "subscription_id": .uuid, "since": .time, "until": .time,
            "event_types": .list(.text),
            "only": .choice(Replay.Selection.self), "rate": .integer.orNull, "state": .choice(Replay.State.self),
            "reason": .text.orNull, "total": .integer, "queued": .integer, "requested_by": .uuid,
            "created_at": .time, "updated_at": .time, "finished_at": .time.orNull,
            "deliveries\(isOne ? "" : "?")": .object([
                "pending": .integer, "delivered": .integer, "failed": .integer, "skipped": .integer,
            ]),
        ]
    }

    private static let detail = replay(isOne: true)
}
