import Foundation
import Kernel
import TestSupport
import Testing

/// What was answered with 200 is there in the end, whenever the server was killed.
@Suite("Servers that are killed under load")
struct KillLedgerTests {
    private static let isLong = ProcessInfo.processInfo.environment["TRADEWIND_TEST_LONG"] == "1"

    /// The places that a load of orders comes to. Nobody is erased here: see `CustomerErasureStoryTests`.
    static let places = CrashPoint.allCases.filter { $0 != .midErasure }

    /// Each of them, between blows at no place in particular.
    static let round = places.flatMap { [KillCampaign.Blow.anywhere, .at($0)] } + [.anywhere, .all]

    private static let blows = isLong ? Array((0..<25).map { _ in round }.joined()) : round

    @Test(
        "Nothing acknowledged is lost, doubled or moved, however the server dies", .timeLimit(.minutes(60)),
        arguments: TestEngine.allCases)
    func ledger(_ engine: TestEngine) async throws {
        let seed: UInt64 = 20_261_121
        let copies = engine == .sqlite ? 1 : 2
        try await withCopies(copies, of: engine, environment: TestServer.shortLease) { servers in
            for server in servers { try await server.start() }
            try await Receiver.run { receiver in
                let shop = try await Shop.open(servers[0])
                try await shop.makeProduct("Shirt", sku: "SHIRT-M")
                let subscription = try await shop.subscribe(receiver.url)
                let ledger = try Ledger(path: servers[0].folder + "/ledger")
                let load = OrderLoad(servers: servers, shop: shop, ledger: ledger)
                let campaign = KillCampaign(load: load, receiver: receiver)

                let seen = try await campaign.run(Self.blows, seed: seed)
                try await campaign.compare(seen)

                let unsigned = receiver.deliveries.filter { !$0.isSigned(with: subscription.secret) }
                #expect(unsigned.isEmpty, "\(unsigned.count) deliveries bear no good signature")
            }
        }
    }
}
