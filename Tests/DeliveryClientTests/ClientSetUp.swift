import Kernel
import Logging
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import DeliveryClient

extension Logger {
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}

/// Knows what a test told it: for each name its answers in turn, the last of which stays. Counts the askings.
final class StubResolver: AddressResolver {
    private let answers: Mutex<[String: [[IPAddress]]]>
    private let asked = Mutex(0)

    /// - Parameter names: for each name the texts of its addresses; several lists are answers in turn.
    init(_ names: [String: [[String]]]) throws {
        answers = Mutex(
            try names.mapValues { try $0.map { try $0.map { text in try #require(IPAddress(text)) } } })
    }

    var count: Int { asked.withLock { $0 } }

    func addresses(of name: String) throws(ExchangeError) -> [IPAddress] {
        asked.withLock { $0 += 1 }
        let found = answers.withLock { answers in
            guard let lists = answers[name], let first = lists.first else { return nil as [IPAddress]? }
            if lists.count > 1 { answers[name]?.removeFirst() }
            return first
        }
        guard let found else { throw ExchangeError(.dns, "\(name): unknown") }
        return found
    }
}

/// Loopback on every port, by http too: what a developer allows.
func loopbackPolicy() throws -> EgressPolicy {
    EgressPolicy(
        allowedBlocks: try ["127.0.0.0/8", "::1/128"].map { try #require(CIDRBlock($0)) }, allowsHTTP: true)
}

/// Runs a client for the time of `body`, and looks that nothing is left of its calls.
func withClient(
    _ policy: EgressPolicy? = nil, resolver: any AddressResolver = SystemResolver(),
    options: DeliveryOptions = DeliveryOptions(trustRoots: TrustRoots(pem: Array(TestCertificate.authority.utf8))),
    _ body: (DeliveryClient) async throws -> Void
) async throws {
    let client = try DeliveryClient(
        policy: policy ?? loopbackPolicy(), eventLoopGroup: MultiThreadedEventLoopGroup.singleton, resolver: resolver,
        options: options, logger: .silent)
    let result: Result<Void, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    try await client.shutdown()
    let left = try await client.counts()
    #expect(left == (0, 0, 0))
    try result.get()
}

/// The class and words of a call that must fail.
func failure(_ client: DeliveryClient, _ request: OutgoingRequest) async -> ExchangeError? {
    do {
        let response = try await client.send(request)
        Issue.record("an answer came: \(response.status)")
        return nil
    } catch {
        #expect(!error.detail.isEmpty)
        return error
    }
}
