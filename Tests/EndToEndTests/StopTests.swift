import Foundation
import Kernel
import TestSupport
import Testing

@Suite("A server that is told to stop")
struct StopTests {
    @Test("It ends in time under load, and nothing acknowledged is missing afterwards", arguments: TestEngine.allCases)
    func underLoad(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                _ = try await shop.subscribe(receiver.url)
                let ledger = try Ledger(path: server.folder + "/ledger")
                let load = OrderLoad(servers: [server], shop: shop, ledger: ledger)
                try await load.run(seed: 1) {
                    try await load.progress(200)
                    let end = await server.stop()
                    #expect(end.exit == .code(0), "\(server.logText.suffix(2000))")
                    #expect(end.time < .seconds(10), "\(server.logText.suffix(2000))")
                    try await server.start()
                    try await load.progress(50)
                }
                let orders = try await load.ordersOfLedger()
                #expect(orders.allSatisfy { $0.value.count == 1 })
                // Well before any lease of the stopped process would have ended by itself.
                try await until("each order was delivered", within: .seconds(30), every: .milliseconds(200)) {
                    Set(orders.keys).subtracting(receiver.deliveries.lazy.map(\.externalID)).isEmpty
                }
            }
        }
    }

    @Test("It does not wait for an endpoint that never answers", arguments: TestEngine.allCases)
    func hangingEndpoint(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                _ = try await shop.subscribe(receiver.url)
                let gate = receiver.hang()
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                await gate.arrivals(1)

                let end = await server.stop()
                gate.open()

                #expect(end.exit == .code(0), "\(server.logText.suffix(2000))")
                #expect(end.time < .seconds(10), "\(server.logText.suffix(2000))")
            }
        }
    }

    @Test("It ends cleanly while strangers keep connecting", arguments: TestEngine.allCases)
    func newConnections(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            for _ in 0..<3 {
                let isOver = OrderLoad.Flag()
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            while !isOver.isRaised {
                                guard let peer = try? await RawConnection.open(server) else { continue }
                                await peer.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                                _ = try? await peer.outcome(within: .seconds(2))
                                await peer.close()
                            }
                        }
                    }
                    defer { isOver.raise() }
                    await pass(.milliseconds(150))
                    let end = await server.stop()
                    isOver.raise()
                    #expect(end.exit == .code(0), "\(server.logText.suffix(3000))")
                    #expect(end.time < .seconds(10), "\(server.logText.suffix(2000))")
                }
                try await server.start()
            }
        }
    }

    @Test("It does not wait for peers that never finish what they began", arguments: TestEngine.allCases)
    func unfinishedPeers(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let beginnings = [
                "", "POST /unified/webhook HTTP/1.1\r\nHo",
                "POST /unified/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
                "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            ]
            var peers: [RawConnection] = []
            for text in beginnings {
                let peer = try await RawConnection.open(server)
                await peer.send(text)
                peers.append(peer)
            }
            let last = try #require(peers.last)
            #expect(try await last.outcome() == 200)

            let end = await server.stop()

            #expect(end.exit == .code(0), "\(server.logText.suffix(2000))")
            #expect(end.time < .seconds(10), "\(server.logText.suffix(2000))")
            for peer in peers { await peer.close() }
        }
    }
}
