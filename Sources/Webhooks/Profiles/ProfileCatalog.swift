import Signing

/// The list of profiles, in the order in which they are documented.
package enum ProfileCatalog {
    /// Seed 002.
    static let synq = Profile(
        name: "synq", summary: "The DomainEvent envelope; retries for 72 hours.", envelope: SynqEnvelope.body,
        signature: SignatureCatalog.synq, fixedSchedule: .seventyTwoHours)
    /// Seed 003.
    static let synthesq = Profile(
        name: "synthesq", summary: "The shape of the event feed; retries as the tenant's settings say.",
        envelope: SynthesQEnvelope.body, signature: SignatureCatalog.synthesq, fixedSchedule: nil)
    /// Seed 004.
    static let synctec = Profile(
        name: "synctec", summary: "One flat object for tools such as Zapier; three retries.",
        envelope: SyncTecEnvelope.body, signature: SignatureCatalog.synctec, fixedSchedule: .threeRetries)
    /// https://www.standardwebhooks.com
    static let standard = Profile(
        name: "standard", summary: "Standard Webhooks and nothing else; ten attempts in three days.",
        envelope: StandardEnvelope.body, signature: nil, fixedSchedule: .standard)

    package static let all = [synq, synthesq, synctec, standard]

    /// What a subscription gets that names none.
    package static let usual = synq

    /// Nil for a name that no profile has; case counts.
    package static func profile(named name: String) -> Profile? { all.first { $0.name == name } }
}
