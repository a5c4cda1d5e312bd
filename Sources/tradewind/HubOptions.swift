import ArgumentParser
import Kernel
import Server

/// Which hub a command calls, and as whom.
struct HubOptions: ParsableArguments {
    @Option(help: "Address of the hub; else TRADEWIND_HUB, else http://127.0.0.1:8080.")
    var hub: String?

    @Option(help: "Token or API key; else TRADEWIND_TOKEN. 'tradewind token' prints one.")
    var token: String?

    @Option(help: "UUID of the tenant; else TRADEWIND_TENANT. A token says it itself, an API key does not.")
    var tenant: String?

    @Option(help: "UUID of the organisation; else TRADEWIND_ORG. A token says it itself, an API key does not.")
    var org: String?

    func client() throws -> HubClient {
        let hub = hub ?? ClientVariable.hub.value ?? "http://127.0.0.1:8080"
        try requireWebAddress(hub, "--hub")
        guard let token = token ?? ClientVariable.token.value else {
            throw ValidationError("--token is missing, and so is TRADEWIND_TOKEN; 'tradewind token' prints one")
        }
        return HubClient(
            address: hub.hasSuffix("/") ? String(hub.dropLast()) : hub, token: token,
            tenant: tenant ?? ClientVariable.tenant.value, organisation: org ?? ClientVariable.organisation.value)
    }
}

/// Refuses what is no address of a web server, before anything is sent to it.
func requireWebAddress(_ text: String, _ name: String) throws {
    let rest = ["http://", "https://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
    guard let rest, let first = rest.first, first != "/", !rest.contains(where: { $0.isWhitespace }) else {
        throw ValidationError("\(name) must be http:// or https:// and a host, not \"\(text)\"")
    }
}
