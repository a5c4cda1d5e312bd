enum SystemOperations {
    static let group = OperationGroup(
        name: "System", summary: "Health, figures, and this document.",
        schemas: [:],
        operations: [
            .get("/healthz", "readHealth", "Alive.", .monitor)
                .answering(200, .object(["status": .choice("ok")])),
            .get("/readyz", "readReadiness", "Able to commit.", .monitor)
                .answering(200, .object(["status": .choice("ready")])),
            .get("/metrics", "readMetrics", "Figures for Prometheus; an operator may keep them for admins.", .monitor)
                .failing(401, 403).answering(200, .text, as: "text/plain"),
            .get("/openapi.json", "readOpenAPI", "This document.", .anyone)
                .header("If-None-Match?", .text).tagged().answering(200, .map(.anything)).answering(304, nil),
            .get("/docs", "readDocs", "This document as a page.", .anyone)
                .header("If-None-Match?", .text).tagged().answering(200, .text, as: "text/html").answering(304, nil),
        ])
}
