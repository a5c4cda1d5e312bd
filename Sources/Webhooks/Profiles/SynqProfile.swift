import Events
import Kernel
import Signing

/// Seed 002: the DomainEvent envelope, `Synq-Signature` as hex HMAC-SHA256 of the body, retries for 72 hours.
struct SynqProfile: Profile {
    let name = "synq"
    let signature: any SignatureScheme = SignatureCatalog.synq
    let schedule = RetrySchedule.seventyTwoHours

    func body(of event: DomainEvent) -> [UInt8] {
        var writer = JSONWriter(reserving: event.payload.count + 320)
        writer.object { writer in
            writer.field("event_id", event.id)
            writer.field("event_type", event.type)
            writer.field("timestamp", event.occurredAt)
            writer.field("tenant_id", event.scope.tenant)
            writer.field("org_id", event.scope.organisation)
            writer.field("user_id", event.actor.user)
            writer.field("role", event.actor.role)
            writer.key("payload")
            writer.raw(event.payload)
        }
        return writer.bytes
    }
}
