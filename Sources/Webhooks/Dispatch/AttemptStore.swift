import Kernel
import Storage

/// The rows of attempts. Never updated.
enum AttemptStore {
    static func insert(_ records: [AttemptRecord], in transaction: any Transaction) throws {
        var rows = RowBatch([
            "delivery_id": .uuid, "number": .int, "tenant_id": .uuid, "started_at": .int, "duration_us": .int,
            "status": .int, "error_class": .text, "detail": .text, "request_headers": .bytes,
            "response_headers": .bytes, "response_body": .bytes, "phases": .text,
        ])
        rows.reserve(records.count)
        for record in records {
            rows.append(
                .id(record.delivery.id), .int(record.delivery.attempts + 1), .id(record.delivery.tenant),
                .time(record.startedAt), .int(record.duration.wholeMicroseconds),
                .int(record.outcome.status.map(Int64.init)), .text(record.outcome.errorClass), .text(record.detail),
                .bytes(record.requestHeaders), .bytes(record.responseHeaders), .bytes(record.responseBody),
                .text(record.phases.map(AttemptPhases.text)))
        }
        try transaction.execute(
            """
            INSERT INTO attempt (delivery_id, number, tenant_id, started_at, duration_us, status, error_class, detail,
                request_headers, response_headers, response_body, phases)
            SELECT delivery_id, number, tenant_id, started_at, duration_us, status, error_class, detail,
                request_headers, response_headers, response_body, phases
            FROM {rows} r
            """, rows: rows)
    }
}

/// The phases of a call as a column keeps them: microseconds separated by commas, empty where a part was not needed.
enum AttemptPhases {
    static func text(_ phases: CallPhases) -> String {
        var text = ""
        for (index, phase) in [phases.dns, phases.connect, phases.tls, phases.firstByte, phases.total].enumerated() {
            if index > 0 { text += "," }
            if let phase { text += String(phase.wholeMicroseconds) }
        }
        return text
    }

    static func phases(_ text: String) -> CallPhases? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            Int64(part).map { Duration.microseconds($0) }
        }
        guard parts.count == 5 else { return nil }
        return CallPhases(dns: parts[0], connect: parts[1], tls: parts[2], firstByte: parts[3], total: parts[4])
    }
}
