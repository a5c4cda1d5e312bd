import Events
import Kernel

/// Seed 004: one flat object, what it is about under the entity's own name (`product`, `collection`, `inventory`).
///
/// Events of syncs are told in these words already: their payload holds such an object beside the stores and the
/// status, and is taken over member by member. Any other payload becomes the entity's object.
enum SyncTecEnvelope {
    @Sendable static func body(of event: DomainEvent, _ mode: PayloadMode) -> [UInt8] {
        var writer = JSONWriter(reserving: event.payload.count + 256)
        writer.object { writer in
            writer.field("event", event.type)
            writer.field("event_id", event.id)
            writer.field("timestamp", event.occurredAt)
            guard mode == .full, let members = members(of: event) else {
                writer.objectField(event.entity.type) { $0.field("id", event.entity.id) }
                return
            }
            if isFlat(members, entity: event.entity.type) {
                for member in members { writer.field(member.name, member.value) }
            } else {
                writer.objectField(event.entity.type) { writer in
                    writer.field("id", event.entity.id)
                    for member in members where member.name != "id" { writer.field(member.name, member.value) }
                }
            }
        }
        return writer.bytes
    }

    private static func members(of event: DomainEvent) -> [JSONObject.Member]? {
        do throws(JSONSyntaxError) { return try JSONValue(parsing: event.payload).object?.members } catch {
            // Payloads are checked when they are recorded; one that is none is told as thinly as a thin one.
            return nil
        }
    }

    /// Whether the payload can stand beside the envelope's own members.
    private static func isFlat(_ members: [JSONObject.Member], entity: String) -> Bool {
        let names = Set(members.map(\.name))
        guard names.isDisjoint(with: ["event", "event_id", "timestamp"]) else { return false }
        // A failed sync is about whatever it names, which need not be anything.
        return entity == "sync" || members.contains { $0.name == entity && $0.value.object != nil }
    }
}
