import Events
import Kernel

/// The payload that Standard Webhooks 1.0.0 advises: type, time and data. Thin, the data only names the entity.
enum StandardEnvelope {
    @Sendable static func body(of event: DomainEvent, _ mode: PayloadMode) -> [UInt8] {
        var writer = JSONWriter(reserving: event.payload.count + 160)
        writer.object { writer in
            writer.field("type", event.type)
            writer.field("timestamp", event.occurredAt)
            writer.key("data")
            switch mode {
            case .full: writer.raw(event.payload)
            case .thin:
                writer.object { writer in
                    writer.field("entity_type", event.entity.type)
                    writer.field("entity_id", event.entity.id)
                }
            }
        }
        return writer.bytes
    }
}
