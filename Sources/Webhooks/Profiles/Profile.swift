import Events
import Kernel
import Signing

/// How deliveries of one dialect look, as data: the body, the signature header beside the `webhook-*` ones, the
/// retries. A new one is an envelope in this folder and a line in `ProfileCatalog`.
package struct Profile: Sendable {
    /// Writes a delivery's body. Only the event's public payload may be used.
    typealias Envelope = @Sendable (_ event: DomainEvent, _ mode: PayloadMode) -> [UInt8]

    /// The name that a subscription asks for.
    package let name: String
    /// One sentence for whoever chooses.
    package let summary: String
    let envelope: Envelope
    /// Signs the body under the profile's own header; nil where the `webhook-*` headers are all there is.
    let signature: HexHMACHeader?
    /// Nil for a profile that follows the tenant's settings.
    let fixedSchedule: RetrySchedule?

    /// When deliveries are tried again, unless the subscription says otherwise.
    package func schedule(under settings: TenantSettings) -> RetrySchedule { fixedSchedule ?? settings.schedule }
}

/// How much of an event a delivery tells.
package enum PayloadMode: String, Sendable, CaseIterable {
    case full
    /// Only what happened to what; the rest is to be fetched from the API.
    case thin
}
