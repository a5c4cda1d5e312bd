/// Variables that commands read which call a running hub. They may stand in the environment of `serve` too: whoever
/// works in one shell has both.
package enum ClientVariable: String, CaseIterable, Sendable {
    case hub = "TRADEWIND_HUB"
    case token = "TRADEWIND_TOKEN"
    case tenant = "TRADEWIND_TENANT"
    case organisation = "TRADEWIND_ORG"
    case signingSecret = "TRADEWIND_SIGNING_SECRET"

    /// What the process was given; an empty text counts as nothing.
    package var value: String? {
        ProcessEnvironment.variables[rawValue].flatMap { $0.isEmpty ? nil : $0 }
    }
}
