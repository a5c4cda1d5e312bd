enum WorkflowOperations {
    private static let root = "/api/v1/workflows"

    static let group = OperationGroup(
        name: "Workflows", summary: "What became of work that goes on after its answer.",
        schemas: [
            "Workflow": .object([
                "id": .uuid, "kind": .text, "state": .choice("pending", "running", "completed", "dead"),
                "outcome": .text.orNull, "reason": .text.orNull, "result_id": .uuid.orNull, "attempts": .integer,
                "next_attempt_at": .time.orNull,
                "progress": Schema.open([:]).saying("How far long work has come, in words of its kind.").orNull,
                "steps": .list(.object(["name": .text, "recorded_at": .time])), "created_at": .time,
                "updated_at": .time,
            ])
        ],
        operations: [
            .get(root, "listDeadWorkflows", "The dead letters.").asking(["state?": .choice("dead")])
                .paged(.named("Workflow")),
            .get("\(root)/{id}", "readWorkflow", "One workflow, with its steps.").answering(200, .named("Workflow")),
            .post("\(root)/{id}/retry", "retryWorkflow", "Makes a dead workflow due again.").failing(409)
                .answering(202, .queued),
        ])
}
