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
}
