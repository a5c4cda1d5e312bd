import Kernel

/// A subscription was switched off after sustained failures (seed 003, "Auto-Disable").
package struct WebhookDisabled: EventType {
    package static let name = "webhook.disabled"
    package static let summary = "A subscription was disabled after sustained failures."
    package static let fields = EndpointPayload.Field.endpoint
    package static let example = WebhookDisabled(
        endpoint: .example(failures: 24, reason: "24 of the last 24 attempts failed."))

    package let endpoint: EndpointPayload

    package init(endpoint: EndpointPayload) { self.endpoint = endpoint }

    package var entityID: ID<DomainEvent.Entity> { endpoint.subscription }

    package func write(_ writer: inout PayloadWriter) { endpoint.write(&writer) }
}
