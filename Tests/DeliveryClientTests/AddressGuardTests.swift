import Dispatch
import HTTPTypes
import Kernel
import Testing

@testable import DeliveryClient

@Suite struct AddressGuardTests {
    @Test("The default policy refuses this machine, by address and by name, and nothing is connected")
    func loopbackRefused() async throws {
        try await TestPeer.run { peer in
            try await withClient(EgressPolicy(allowsHTTP: true)) { client in
                for host in ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "[::1]", "a.internal"] {
                    let request = OutgoingRequest(method: .post, url: "http://\(host):\(peer.port)/")
                    #expect(await failure(client, request)?.errorClass == .refusedAddress, "\(host)")
                }
            }
            #expect(peer.connectionsCount == 0)
        }
    }

    @Test(
        "One forbidden address among a name's addresses is enough, in whatever form it comes",
        arguments: [
            "10.0.0.7", "169.254.169.254", "127.0.0.1", "::1", "::ffff:10.0.0.7", "64:ff9b::a00:7", "2002:a00:7::1",
            "fd00::1", "fe80::1", "100.64.0.1", "0.0.0.0",
        ])
    func forbiddenAmongOthers(address: String) async throws {
        let resolver = try StubResolver(["example.com": [["93.184.216.34", address]]])
        try await withClient(EgressPolicy(), resolver: resolver) { client in
            let error = await failure(client, OutgoingRequest(method: .post, url: "https://example.com/"))
            #expect(error?.errorClass == .refusedAddress)
            #expect(error?.phases?.dns != nil)
            #expect(error?.phases?.connect == nil)
            await #expect(throws: ExchangeError.self) { try await client.check(url: "https://example.com/") }
        }
    }

    @Test("A port that is not allowed is refused before the name is asked for")
    func port() async throws {
        let resolver = try StubResolver(["example.com": [["93.184.216.34"]]])
        try await withClient(EgressPolicy(), resolver: resolver) { client in
            for url in ["https://example.com:8080/", "http://example.com/", "https://user@example.com/", "nonsense"] {
                #expect(await failure(client, OutgoingRequest(method: .post, url: url))?.errorClass == .refusedAddress)
            }
            try await client.check(url: "https://example.com/")
            try await client.check(url: "https://example.com:8443/")
        }
        // A machine that stalls for longer than an answer lives asks again.
        #expect(1...2 ~= resolver.count)
    }

    @Test("The address that was judged is the one connected to: a second answer is never asked for")
    func judgedIsConnected() async throws {
        let policy = EgressPolicy(allowedBlocks: [try #require(CIDRBlock("127.0.0.1/32"))], allowsHTTP: true)
        let resolver = try StubResolver(["turning.example": [["127.0.0.1"], ["127.0.0.2"]]])
        try await TestPeer.run { peer in
            let url = "http://turning.example:\(peer.port)/"
            try await withClient(policy, resolver: resolver) { client in
                let response = try await client.send(OutgoingRequest(method: .post, url: url))
                #expect(response.status == 204)
            }
            #expect(resolver.count == 1)
            #expect(peer.connectionsCount == 1)
        }
    }

    @Test("Checked at connect: a name that was good when it was saved and leads elsewhere is refused unconnected")
    func rebinding() async throws {
        let policy = EgressPolicy(allowedBlocks: [try #require(CIDRBlock("127.0.0.2/32"))], allowsHTTP: true)
        let resolver = try StubResolver(["turning.example": [["127.0.0.2"], ["127.0.0.1"]]])
        try await TestPeer.run { peer in
            let url = "http://turning.example:\(peer.port)/"
            try await withClient(policy, resolver: resolver) { client in
                try await client.check(url: url)
            }
            try await withClient(policy, resolver: resolver) { client in
                let error = await failure(client, OutgoingRequest(method: .post, url: url, body: [1]))
                #expect(error?.errorClass == .refusedAddress)
                #expect(error?.detail.contains("127.0.0.1") == true)
            }
            #expect(peer.connectionsCount == 0)
        }
    }

    @Test("An allowed block lets this machine in, by address and by name")
    func loopbackAllowed() async throws {
        try await TestPeer.run { peer in
            try await withClient { client in
                for host in ["127.0.0.1", "localhost"] {
                    let request = OutgoingRequest(method: .post, url: "http://\(host):\(peer.port)/")
                    let response = try await client.send(request)
                    #expect(response.status == 204, "\(host)")
                }
            }
        }
    }

    @Test("When an address refuses or is silent the next one is tried")
    func nextAddress() async throws {
        try await TestPeer.run { peer in
            let silent = try SilentPort(lastByte: 3, port: peer.port)
            let resolver = try StubResolver([
                "refusing.example": [["127.0.0.2", "127.0.0.1"]], "silent.example": [["127.0.0.3", "127.0.0.1"]],
                "dead.example": [["127.0.0.2", "127.0.0.4"]],
            ])
            try await withClient(resolver: resolver) { client in
                for name in ["refusing.example", "silent.example"] {
                    let request = OutgoingRequest(method: .post, url: "http://\(name):\(peer.port)/")
                    let response = try await client.send(request)
                    #expect(response.status == 204)
                    if name == "silent.example" {
                        #expect(try #require(response.phases?.connect) >= .seconds(1))
                    }
                }
                let dead = OutgoingRequest(method: .post, url: "http://dead.example:\(peer.port)/")
                #expect(await failure(client, dead)?.errorClass == .connect)
                let hanging = OutgoingRequest(
                    method: .post, url: "http://127.0.0.3:\(peer.port)/", timeout: .milliseconds(200))
                #expect(await failure(client, hanging)?.errorClass == .timeout)
            }
            silent.close()
        }
    }

    @Test("A name is asked for once in a while, however many calls need it")
    func askedOnce() async throws {
        let resolver = try StubResolver(["hooks.example": [["127.0.0.1"]]])
        try await TestPeer.run { peer in
            try await withClient(resolver: resolver) { client in
                try await withThrowingTaskGroup { group in
                    for number in 0..<50 {
                        let request = OutgoingRequest(
                            method: .post, url: "http://hooks.example:\(peer.port)/\(number)")
                        group.addTask { _ = try await client.send(request) }
                    }
                    try await group.waitForAll()
                }
            }
        }
        // A machine that stalls for longer than an answer lives may ask again.
        #expect(1...2 ~= resolver.count)
    }

    @Test("A name that doesn't exist is a failure of DNS, with the system's resolver too")
    func unknownName() async throws {
        try await withClient(EgressPolicy(), resolver: StubResolver([:])) { client in
            let request = OutgoingRequest(method: .post, url: "https://nowhere.example/")
            #expect(await failure(client, request)?.description == "dns: nowhere.example: unknown")
        }
        let error = try #require(throws: ExchangeError.self) { () throws in
            _ = try SystemResolver().addresses(of: "-.invalid")
        }
        #expect(error.errorClass == .dns)
    }

    @Test("A resolver that doesn't answer costs no more than the call's time")
    func silentResolver() async throws {
        let resolver = HangingResolver()
        try await withClient(EgressPolicy(), resolver: resolver) { client in
            let request = OutgoingRequest(method: .post, url: "https://slow.example/", timeout: .milliseconds(100))
            for _ in 0..<2 { #expect(await failure(client, request)?.errorClass == .timeout) }
            let error = try await #require(throws: ExchangeError.self) {
                try await client.check(url: "https://slow.example/", timeout: .milliseconds(100))
            }
            #expect(error.errorClass == .timeout)
            resolver.answer.signal()
        }
    }
}

private struct HangingResolver: AddressResolver {
    let answer = DispatchSemaphore(value: 0)

    func addresses(of name: String) throws(ExchangeError) -> [IPAddress] {
        answer.wait()
        throw ExchangeError(.dns, name)
    }
}
