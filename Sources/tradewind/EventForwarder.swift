import AsyncHTTPClient
import Events
import Kernel
import NIOCore
import NIOHTTP1
import Server
import Signing
import Webhooks

/// Posts events to an address as the dispatcher would, once each.
struct EventForwarder {
    let client: HubClient
    let url: String
    let profile: Profile
    let mode: PayloadMode
    let key: SigningKey

    /// Says what the receiver answered; a receiver that can't be reached ends nothing.
    func forward(_ event: JSONValue) async throws -> String {
        guard let id = event["id"]?.string.flatMap({ EventID($0) }) else { return "not forwarded: it has no id" }
        let found: JSONValue
        do {
            // The feed leaves out who did it, which a delivery tells.
            found = try await client.call(.GET, "/api/v1/events/\(id)")
        } catch let refused as HubClient.Refused where !refused.isPassing {
            return "not forwarded: \(refused)"
        }
        guard let whole = Self.event(found) else {
            return "not forwarded: the hub tells the event in a form that is not known here"
        }
        let request = profile.request(
            for: whole, to: url, mode: mode, keys: [key], userAgent: "tradewind/\(ServerBuilder.version)",
            at: TimeSource.system.now())
        let clock = ContinuousClock()
        let begin = clock.now
        do {
            let status = try await HubClient.post(request)
            return "\(status) in \(begin.duration(to: clock.now).wholeMilliseconds) ms"
        } catch let unreachable as HubClient.Unreachable {
            return unreachable.description
        }
    }

    /// An event as the event log shows it.
    private static func event(_ json: JSONValue) -> DomainEvent? {
        func id<Kind>(_ name: String) -> ID<Kind>? { json[name]?.string.flatMap { ID<Kind>($0) } }
        guard let event: EventID = id("event_id"), let type = json["event_type"]?.string,
            let time = json["timestamp"]?.string.flatMap({ Timestamp($0) }), let tenant: TenantID = id("tenant_id"),
            let organisation: OrganisationID = id("org_id"), let user: UserID = id("user_id"),
            let role = json["role"]?.string, let entityType = json["entity_type"]?.string,
            let entity: ID<DomainEvent.Entity> = id("entity_id"), let payload = json["payload"]
        else { return nil }
        return DomainEvent(
            id: event, type: type, occurredAt: time, scope: Scope(tenant: tenant, organisation: organisation),
            actor: Actor(user: user, role: role), entity: DomainEvent.Entity(type: entityType, id: entity),
            source: json["source"]?.string ?? "", causation: nil, payload: JSONWriter.bytes(of: payload), withheld: nil)
    }
}
