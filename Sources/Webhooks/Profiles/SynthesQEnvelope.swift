import Events
import Kernel

/// Seed 003: the feed's own shape, the id as a ULID. Thin, it ends before the payload.
enum SynthesQEnvelope {
    @Sendable static func body(of event: DomainEvent, _ mode: PayloadMode) -> [UInt8] {
        var writer = JSONWriter(reserving: event.payload.count + 256)
        writer.object { writer in
            writer.field("id", event.id.ulid)
            writer.field("event_type", event.type)
            writer.field("entity_type", event.entity.type)
            writer.field("entity_id", event.entity.id)
            writer.field("occurred_at", event.occurredAt)
            if mode == .full {
                writer.key("payload")
                writer.raw(event.payload)
            }
        }
        return writer.bytes
    }
}
