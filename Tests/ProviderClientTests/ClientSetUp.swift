import Kernel
import Logging
import NIOPosix
import Testing

@testable import ProviderClient

extension Logger {
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}

/// Loopback on every port, by http too: what a developer allows.
func loopbackPolicy() throws -> EgressPolicy {
    EgressPolicy(
        allowedBlocks: try ["127.0.0.0/8", "::1/128"].map { try #require(CIDRBlock($0)) }, allowsHTTP: true)
}

/// A resolver that answers as a test says.
struct ScriptedResolver: AddressResolver {
    let answer: @Sendable (_ name: String) throws(ExchangeError) -> [IPAddress]

    func addresses(of name: String) throws(ExchangeError) -> [IPAddress] { try answer(name) }
}

/// Runs a client for the time of `body`.
func withClient(
    _ policy: EgressPolicy, resolver: any AddressResolver = SystemResolver(), connectionsPerHost: Int = 64,
    _ body: (ProviderClient) async throws -> Void
) async throws {
    let client = ProviderClient(
        policy: policy, resolver: resolver, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
        connectionsPerHost: connectionsPerHost, logger: .silent)
    let result: Result<Void, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    try await client.shutdown()
    try result.get()
}

/// The class and words of a call that must fail.
func failure(_ client: ProviderClient, _ request: OutgoingRequest) async -> ExchangeError? {
    do {
        let response = try await client.send(request)
        Issue.record("an answer came: \(response.status)")
        return nil
    } catch {
        #expect(!error.detail.isEmpty)
        return error
    }
}
