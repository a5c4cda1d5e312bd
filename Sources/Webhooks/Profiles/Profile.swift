import Events
import Kernel
import Signing

/// How deliveries of one dialect look: the body, the signature header beside the `webhook-*` ones, the retries.
protocol Profile: Sendable {
    /// The name that a subscription asks for.
    var name: String { get }
    /// Signs the body under the profile's own header.
    var signature: any SignatureScheme { get }
    var schedule: RetrySchedule { get }

    /// The JSON body of a delivery. Only the event's public payload is at hand here.
    func body(of event: DomainEvent) -> [UInt8]
}

/// The list of profiles.
enum ProfileCatalog {
    static let all: [any Profile] = [SynqProfile()]

    /// What a subscription gets that names none.
    static let standard: any Profile = SynqProfile()

    static func profile(named name: String) -> (any Profile)? { all.first { $0.name == name } }
}
