import API
import ArgumentParser
import Kernel
import Server

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints a token of the server's own issuer, and nothing else.")

    @Option(help: "Folder of the issuer's key; the server's own.")
    var dataDir: String

    @Option(help: "UUID of the tenant.")
    var tenant: String

    @Option(help: "UUID of the organisation.")
    var org: String

    @Option(help: "UUID of the user.")
    var user: String

    @Option(help: "admin, member or viewer.")
    var role: String

    @Option(help: "How long it is good for: a number with s, m, h or d.")
    var ttl = "1h"

    func run() async throws {
        try DataDirectory.make(dataDir)
        let issuer = try TokenIssuer.loadOrCreate(directory: dataDir)
        guard let role = Role(anyCase: role) else {
            throw ValidationError("--role must be admin, member or viewer, not \"\(role)\"")
        }
        let principal = Principal(
            tenant: try id(tenant, "--tenant"), organisation: try id(org, "--org"), user: try id(user, "--user"),
            role: role)
        print(try issuer.mint(principal, ttl: try Duration(option: ttl, "--ttl"), now: TimeSource.system.now()))
    }

    private func id<Kind>(_ text: String, _ name: String) throws -> ID<Kind> {
        guard let id = ID<Kind>(text) else { throw ValidationError("\(name) must be a UUID, not \"\(text)\"") }
        return id
    }
}
