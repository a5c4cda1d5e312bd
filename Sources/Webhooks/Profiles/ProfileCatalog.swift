import Signing

/// The list of profiles, in the order in which they are documented.
package enum ProfileCatalog {
    /// Seed 002.
    static let synq = Profile(
        name: "synq", summary: "The DomainEvent envelope; retries for 72 hours.", envelope: SynqEnvelope.body,
        signature: SignatureCatalog.synq, fixedSchedule: .seventyTwoHours)

    package static let all = [synq]

    /// What a subscription gets that names none.
    package static let usual = synq

    /// Nil for a name that no profile has; case counts.
    package static func profile(named name: String) -> Profile? { all.first { $0.name == name } }
}
