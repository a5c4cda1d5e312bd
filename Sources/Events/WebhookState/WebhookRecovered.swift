import Kernel

/// An endpoint that was failing takes deliveries again.
package struct WebhookRecovered: EventType {
    package static let name = "webhook.recovered"
    package static let summary = "An endpoint that kept failing takes deliveries again."
    package static let fields = EndpointPayload.Field.endpoint
    package static let example = WebhookRecovered(
        endpoint: .example(failures: 11, reason: "The last 3 attempts succeeded."))

    package let endpoint: EndpointPayload

    package init(endpoint: EndpointPayload) { self.endpoint = endpoint }

    package var entityID: ID<DomainEvent.Entity> { endpoint.subscription }

    package func write(_ writer: inout PayloadWriter) { endpoint.write(&writer) }
}
