import Kernel
import Webhooks

extension JSONWriter {
    /// The members of a delivery with its attempts.
    mutating func delivery(_ delivery: DeliverySummary) {
        field("id", delivery.id)
        field("event_id", delivery.eventID)
        field("event_type", delivery.eventType)
        field("replay_id", delivery.replayID)
        field("state", delivery.state)
        field("reason", delivery.reason)
        field("next_attempt_at", delivery.nextAttemptAt)
        field("created_at", delivery.createdAt)
        field("finished_at", delivery.finishedAt)
        arrayField("attempts") { writer in
            for attempt in delivery.attempts { writer.object { writer in writer.attempt(attempt) } }
        }
    }

    private mutating func attempt(_ attempt: DeliverySummary.Attempt) {
        field("number", attempt.number)
        field("started_at", attempt.startedAt)
        field("duration_us", attempt.durationMicroseconds)
        phases(attempt.phases)
        key("status")
        if let status = attempt.status { integer(status) } else { null() }
        field("error_class", attempt.errorClass)
        field("detail", attempt.detail)
        key("request_headers")
        raw(attempt.requestHeaders)
        key("response_headers")
        if let headers = attempt.responseHeaders { raw(headers) } else { null() }
        field("response_body", attempt.responseBody.map { String(decoding: $0, as: UTF8.self) })
    }

    /// How long each part of the call took; null where it was not timed, and for a part that was not needed, such as a
    /// connection that was there already.
    private mutating func phases(_ phases: CallPhases?) {
        guard let phases else { return field("phases", JSONValue.null) }
        objectField("phases") { writer in
            writer.field("dns_us", phases.dns?.wholeMicroseconds)
            writer.field("connect_us", phases.connect?.wholeMicroseconds)
            writer.field("tls_us", phases.tls?.wholeMicroseconds)
            writer.field("first_byte_us", phases.firstByte?.wholeMicroseconds)
            writer.field("total_us", phases.total?.wholeMicroseconds)
        }
    }
}
