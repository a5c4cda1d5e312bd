import Kernel
import Signing

/// Deliveries in the seed's own frame, whichever platform stands behind the gateway.
package struct UnifiedConnector: Connector {
    package init() {}

    package var description: ConnectorDescription { UnifiedConnector.described }

    private static let described = ConnectorDescription(
        provider: "unified", displayName: "Unified gateway", categories: [.commerce, .accounting], addressing: .inBody,
        signature: SignatureCatalog.unifiedInbound,
        setup: """
            Point the gateway's webhooks at the inbound address and sign each body with the secret that is shown when \
            the connection is saved.
            """,
        orderEvents: [
            "accounting.order.created", "accounting.order.updated", "order.created", "order.updated",
        ])

    package func arrival(_ request: VerifiedRequest) throws(ArrivalRefusal) -> Arrival {
        Self.arrival(of: try UnifiedEnvelope.scan(request.body))
    }

    /// The same for a body whose frame was read before its signature was found good.
    package static func arrival(of envelope: UnifiedEnvelope) -> Arrival {
        let event = SourceObject.cut(envelope.event)
        let isOrder = UnifiedConnector.described.orderEvents.contains(event)
        return Arrival(
            event: event, dedupeMaterial: event,
            disposition: isOrder ? .importOrder : .ignored(reason: "no workflow handles this event"))
    }

    package func order(from body: [UInt8], event: String) throws(Untranslatable) -> OrderSnapshot {
        try SourceObject.requireOrderEvent(event, of: description)
        return try UnifiedOrder.snapshot(of: SourceObject.parse(body))
    }
}
