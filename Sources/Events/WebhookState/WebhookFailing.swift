import Kernel

/// An endpoint fails so often that its deliveries are held back, before it is given up.
package struct WebhookFailing: EventType {
    package static let name = "webhook.failing"
    package static let summary = "An endpoint keeps failing; it will be disabled if that goes on."
    package static let fields = EndpointPayload.Field.endpoint
    package static let example = WebhookFailing(
        endpoint: .example(failures: 20, reason: "20 of the last 24 attempts failed."))

    package let endpoint: EndpointPayload

    package init(endpoint: EndpointPayload) { self.endpoint = endpoint }

    package var entityID: ID<DomainEvent.Entity> { endpoint.subscription }

    package func write(_ writer: inout PayloadWriter) { endpoint.write(&writer) }
}
