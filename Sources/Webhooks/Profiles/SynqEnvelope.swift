import Events
import Kernel

/// Seed 002: the DomainEvent as it is kept. Thin, it names the entity where the payload would be.
enum SynqEnvelope {
    @Sendable static func body(of event: DomainEvent, _ mode: PayloadMode) -> [UInt8] {
        var writer = JSONWriter(reserving: event.payload.count + 320)
        writer.object { writer in
            writer.field("event_id", event.id)
            writer.field("event_type", event.type)
            writer.field("timestamp", event.occurredAt)
            writer.field("tenant_id", event.scope.tenant)
            writer.field("org_id", event.scope.organisation)
            writer.field("user_id", event.actor.user)
            writer.field("role", event.actor.role)
            switch mode {
            case .full:
                writer.key("payload")
                writer.raw(event.payload)
            case .thin:
                writer.field("entity_type", event.entity.type)
                writer.field("entity_id", event.entity.id)
            }
        }
        return writer.bytes
    }
}
