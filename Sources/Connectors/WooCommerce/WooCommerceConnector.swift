import HTTPTypes
import Kernel
import Signing

/// Deliveries straight from a WooCommerce store, as seen from versions 7.9 and 11.0.
package struct WooCommerceConnector: Connector {
    package init() {}

    package var description: ConnectorDescription { WooCommerceConnector.described }

    private static let described = ConnectorDescription(
        provider: "woocommerce", displayName: "WooCommerce", categories: [.commerce], addressing: .inPath,
        signature: SignatureCatalog.woocommerce,
        setup: """
            Approve the connection in the store's own dialog; the webhooks are then created there. The store needs \
            permalinks other than "plain" and must be reached over https.
            """,
        orderEvents: ["order.created", "order.updated"])

    /// Every signed body is taken with 200: the store counts refusals and switches the webhook off at the seventh.
    package func arrival(_ request: VerifiedRequest) throws(ArrivalRefusal) -> Arrival {
        let topic = WooCommerceTopic.text(in: request.headers) ?? ""
        let event = WooCommerceTopic.known.contains(topic) ? topic : WooCommerceTopic.other
        return Arrival(
            event: event, dedupeMaterial: event,
            disposition: WooCommerceTopic.disposition(of: event, body: request.body))
    }

    package func order(from body: [UInt8], event: String) throws(Untranslatable) -> OrderSnapshot {
        try SourceObject.requireOrderEvent(event, of: description)
        return try WooCommerceOrder.snapshot(of: SourceObject.parse(body))
    }

    /// The ping of a new webhook, `webhook_id=7` as a form: it comes again after every delivery until it gets a 200.
    package func isGreeting(headers: HTTPFields, body: [UInt8]) -> Bool {
        let name = Array("webhook_id=".utf8)
        guard WooCommerceTopic.text(in: headers) == nil, body.starts(with: name), body.count > name.count else {
            return false
        }
        return body.count <= name.count + 20 && body.dropFirst(name.count).allSatisfy { (48...57).contains($0) }
    }
}
