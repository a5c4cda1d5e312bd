import Dispatch
import HTTPTypes
import Kernel
import Synchronization
import Testing

@testable import ProviderClient

/// Knows the given addresses for every name, and counts how often it was asked.
private final class CountingResolver: AddressResolver {
    private let known: [IPAddress]
    private let asked = Mutex(0)

    init(_ texts: String...) throws {
        known = try texts.map { try #require(IPAddress($0)) }
    }

    var count: Int { asked.withLock { $0 } }

    func addresses(of name: String) -> [IPAddress] {
        asked.withLock { $0 += 1 }
        return known
    }
}

@Suite struct HostGuardTests {
    @Test("The default policy refuses this machine, by address and by name, and nothing is connected")
    func loopbackRefused() async throws {
        try await RawServer.run { server, port in
            try await withClient(EgressPolicy(allowsHTTP: true)) { client in
                for host in ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "127.0.0.1.nip.internal"] {
                    let request = OutgoingRequest(method: .post, url: "http://\(host):\(port)/")
                    #expect(await failure(client, request)?.errorClass == .refusedAddress, "\(host)")
                }
            }
            #expect(server.connectionsCount == 0)
        }
    }

    @Test("An allowed block lets this machine in, by address and by name")
    func loopbackAllowed() async throws {
        try await RawServer.run { _, port in
            try await withClient(loopbackPolicy()) { client in
                for host in ["127.0.0.1", "localhost"] {
                    let request = OutgoingRequest(method: .post, url: "http://\(host):\(port)/")
                    let response = try await client.send(request)
                    #expect(response.status == 204, "\(host)")
                }
            }
        }
    }

    @Test("One forbidden address among a name's addresses is enough to refuse it")
    func oneForbiddenAddress() async throws {
        let resolver = try CountingResolver("93.184.216.34", "10.0.0.7")
        try await withClient(EgressPolicy(), resolver: resolver) { client in
            let error = await failure(client, OutgoingRequest(method: .post, url: "https://example.com/"))
            #expect(error?.errorClass == .refusedAddress)
            #expect(error?.detail.contains("10.0.0.7") == true)
            await #expect(throws: ExchangeError.self) { try await client.check(url: "https://example.com/") }
        }
    }

    @Test("A name that leads elsewhere when it is connected to is refused there, and is sent no request")
    func rebinding() async throws {
        // The guard is told a good address for a name that the system leads to this machine.
        let resolver = try CountingResolver("93.184.216.34")
        let policy = EgressPolicy(allowedBlocks: [try #require(CIDRBlock("93.184.216.34"))], allowsHTTP: true)
        try await RawServer.run { server, port in
            try await withClient(policy, resolver: resolver) { client in
                let url = "http://localhost:\(port)/"
                let request = OutgoingRequest(method: .post, url: url, body: [1], timeout: .seconds(60))
                let error = await failure(client, request)
                #expect(error?.errorClass == .refusedAddress)
                #expect(error?.detail.contains("127.0.0.1") == true)
            }
            #expect(server.requests.isEmpty)
        }
    }

    @Test("A name is asked for once in a while, however many calls need it")
    func askedOnce() async throws {
        let resolver = try CountingResolver("127.0.0.1")
        try await RawServer.run { _, port in
            try await withClient(loopbackPolicy(), resolver: resolver) { client in
                try await withThrowingTaskGroup { group in
                    for number in 0..<50 {
                        let request = OutgoingRequest(method: .post, url: "http://localhost:\(port)/\(number)")
                        group.addTask { _ = try await client.send(request) }
                    }
                    try await group.waitForAll()
                }
            }
        }
        // A machine that stalls for longer than a verdict lives may ask again.
        #expect(1...2 ~= resolver.count)
    }

    @Test("A resolver that doesn't answer costs no more than the call's time")
    func silentResolver() async throws {
        let answer = DispatchSemaphore(value: 0)
        let resolver = ScriptedResolver { name throws(ExchangeError) in
            answer.wait()
            throw ExchangeError(.dns, name)
        }
        try await withClient(EgressPolicy(), resolver: resolver) { client in
            let request = OutgoingRequest(method: .post, url: "https://slow.example/", timeout: .milliseconds(100))
            for _ in 0..<2 { #expect(await failure(client, request)?.errorClass == .timeout) }
            answer.signal()
        }
    }

    @Test("A check connects to nothing and tells what a call would")
    func check() async throws {
        try await RawServer.run { server, port in
            try await withClient(loopbackPolicy()) { client in
                try await client.check(url: "http://localhost:\(port)/")
                await #expect(throws: ExchangeError.self) { try await client.check(url: "http://10.0.0.1/") }
                await #expect(throws: ExchangeError.self) { try await client.check(url: "nonsense") }
            }
            #expect(server.connectionsCount == 0)
        }
    }
}
