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
                    #expect(end.time < .seconds(10))
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
                #expect(end.time < .seconds(10))
            }
        }
    }
}
