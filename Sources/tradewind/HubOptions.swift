import ArgumentParser
import Kernel

/// Which hub a command calls, and as whom.
struct HubOptions: ParsableArguments {
    @Option(help: "Address of the hub.")
    var hub = "http://127.0.0.1:8080"

    @Option(help: "Token or API key of a member; 'tradewind token' prints one.")
    var token: String

    @Option(help: "UUID of the tenant; a token says it itself, an API key does not.")
    var tenant: String?

    @Option(help: "UUID of the organisation; a token says it itself, an API key does not.")
    var org: String?

    func client() throws -> HubClient {
        guard hub.hasPrefix("http://") || hub.hasPrefix("https://") else {
            throw ValidationError("--hub must begin with http:// or https://, not \"\(hub)\"")
        }
        return HubClient(
            address: hub.hasSuffix("/") ? String(hub.dropLast()) : hub, token: token, tenant: tenant,
            organisation: org)
    }
}
