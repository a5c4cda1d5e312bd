import Foundation
import Kernel
import TestSupport
import Testing

/// Servers that are killed again and again under load, and the books that are compared in the end.
struct KillCampaign: Sendable {
    /// One way to end a server.
    enum Blow: Sendable {
        case anywhere
        case at(CrashPoint)
        /// The power goes in the whole house.
        case all
    }

    let load: OrderLoad
    let receiver: Receiver

    /// Strikes as planned under load; returns the ids of the feed as they were read meanwhile.
    func run(_ blows: [Blow], seed: UInt64) async throws -> [String] {
        async let seen = readFeed()
        try await load.run(seed: seed) { try await strike(blows, SeededRandom(seed: seed &+ 1000)) }
        return try await seen
    }

    /// Reads the feed with a cursor until it is over, from whichever copy answers.
    private func readFeed() async throws -> [String] {
        var seen: [String] = []
        var turn = 0
        while !load.isOver.isRaised {
            turn += 1
            let after = seen.last.map { "&after=\($0)" } ?? ""
            let api = load.shop.at(load.servers[turn % load.servers.count].address).api
            if let answer = try? await api.get("/api/v1/webhooks/events?limit=200\(after)"), answer.status == 200 {
                seen += try answer.page().map { try $0.text("id") }
            }
            await pass(.milliseconds(30))
        }
        return seen
    }

    private func strike(_ blows: [Blow], _ seeded: SeededRandom) async throws {
        var random = seeded
        for blow in blows {
            var victims = [load.pick(&random)]
            if case .at(let point) = blow {
                try await doom(victims[0], at: point, turn: 1 + Int(random.next(upperBound: 12 as UInt64)))
            } else {
                try await load.progress(20 + Int(random.next(upperBound: 120 as UInt64)))
                await pass(.milliseconds(Int(random.next(upperBound: 30 as UInt64))))
            }
            if case .all = blow { victims = load.servers }
            for victim in victims { await victim.kill() }
            await pass(.milliseconds(Int(random.next(upperBound: 200 as UInt64))))
            for victim in victims { try await victim.start() }
        }
        try await load.progress(50)
    }

    /// Lets a server run into one of the places where it kills itself.
    private func doom(_ victim: TestServer, at point: CrashPoint, turn: Int) async throws {
        await victim.kill()
        let doomed = try await victim.start(["TRADEWIND_CRASH_AT": "\(point.rawValue):\(turn)"])
        try await until("the server comes to \(point) for the \(turn). time") { doomed.hasEnded }
        #expect(await doomed.exit() == .signal(Int(SIGKILL)))
    }

    /// Compares the ledger with the orders, the receiver's deliveries and the feed.
    ///
    /// - Parameter seen: the feed as it was read during the blows.
    func compare(_ seen: [String]) async throws {
        let orders = try await load.ordersOfLedger()
        #expect(try await load.here.api.get("/api/v1/workflows?limit=100").page().isEmpty, "imports were given up")

        try await until("each order was delivered", within: .seconds(60), every: .milliseconds(300)) {
            Set(orders.keys).subtracting(receiver.deliveries.lazy.map(\.externalID)).isEmpty
        }
        try await until("each order is in the feed", every: .milliseconds(300)) {
            try await load.here.feed().count { $0["event_type"]?.string == "order.created" } >= orders.count
        }
        let feed = try await load.here.feed().map { entry in
            let isCreation = entry["event_type"]?.string == "order.created"
            return (id: entry["id"]?.string ?? "", created: isCreation ? entry["entity_id"]?.string : nil)
        }
        let books = LedgerBooks(
            acknowledged: try load.ledger.ids(), orders: orders, delivered: receiver.deliveries.map(\.externalID),
            feed: feed, seen: seen)
        #expect(books.faults() == [])
        #expect(seen.count > 50)
    }
}
