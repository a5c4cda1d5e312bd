import HTTPTypes
import Integrations
import Kernel
import NIOCore

/// Deliveries of stores and gateways, taken in at the door.
struct InboundDoor: DoorRoute {
    let intake: Intake

    func call(at path: String, _ headers: HTTPFields, length: Int, from peer: SocketAddress?) -> DoorCall? {
        guard let (door, route) = Self.door(at: path) else { return nil }
        return DoorCall(route: route) { body, relay, reply in
            intake.accept(at: door, body: body, headers: headers, relay: relay) { answer in
                reply(answer.map { JSONResponse(InboundRoutes.body(of: $0)) })
            }
        }
    }

    private static func door(at path: String) -> (Intake.Door, route: String)? {
        if path == InboundRoutes.unifiedPath { return (.unified, InboundRoutes.unifiedPath) }
        guard path.hasPrefix(InboundRoutes.nativePrefix) else { return nil }
        let parts = path.dropFirst(InboundRoutes.nativePrefix.count).split(
            separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let connection = ConnectionID(String(parts[1])) else { return nil }
        return (.native(provider: String(parts[0]), connection: connection), InboundRoutes.nativePattern)
    }
}
