import Dispatch
import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("PostgreSQL goes away and comes back")
struct PostgresOutageTests {
    /// Waits for the server's programs on a thread of its own.
    private static func aside(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
        }
    }

    @Test("Callers get 503 meanwhile, the same process goes on afterwards, and nothing acknowledged is lost")
    func crashOfTheStore() async throws {
        let postgres = try PostgresServer()
        defer { postgres.remove() }
        try await withTemporaryFolder { folder in
            let url = postgresAddress(postgres.url)
            try await lend(1, in: folder, url, TestServer.shortLease) { servers in
                let server = servers[0]
                let process = try await server.start()
                let shop = try await Shop.open(server)
                let ledger = try Ledger(path: server.folder + "/ledger")
                let load = OrderLoad(servers: servers, shop: shop, ledger: ledger)
                try await load.run(seed: 1) {
                    for _ in 0..<2 {
                        try await load.progress(100)
                        let before = load.refusals.elements.count
                        try await Self.aside { try postgres.stop(immediate: true) }
                        try await until("callers are told to come later") {
                            load.refusals.elements.count >= before + 20
                        }
                        #expect(try await server.caller().get("/healthz").status == 200)
                        try await until("it says that it is not ready") {
                            try await server.caller().get("/readyz").status == 503
                        }
                        let list = try await shop.api.get("/api/v1/oms/orders")
                        #expect(list.status == 503, "\(list.text)")
                        #expect(list.headers[.retryAfter] != nil)
                        try await Self.aside { try postgres.start() }
                    }
                    try await load.progress(100)
                }
                #expect(server.process === process && !process.hasEnded)
                let orders = try await load.ordersOfLedger()
                #expect(orders.allSatisfy { $0.value.count == 1 })
            }
        }
    }
}
