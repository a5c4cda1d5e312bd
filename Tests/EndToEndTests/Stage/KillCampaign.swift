import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

/// Servers that are killed again and again while clients post to them, and the books that are compared in the end.
struct KillCampaign: Sendable {
    /// One way to end a server.
    enum Blow: Sendable {
        case anywhere
        case at(CrashPoint)
    }

    /// Long enough for a call, short enough for a test that waits for the leases of the dead.
    static let lease = ["TRADEWIND_TEST_LEASE_SECONDS": "3"]
    private static let clients = 4

    let servers: [TestServer]
    let shop: Shop
    let receiver: Receiver
    let ledger: Ledger
    let isOver = Flag()

    /// Something that happens once.
    final class Flag: Sendable {
        private let state = Mutex(false)
        var isRaised: Bool { state.withLock { $0 } }
        func raise() { state.withLock { $0 = true } }
    }

    /// Strikes as planned under load; returns the ids of the feed as they were read meanwhile.
    func run(_ blows: [Blow], seed: UInt64) async throws -> [String] {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for client in 0..<Self.clients {
                group.addTask {
                    try await post(client, SeededRandom(seed: seed &+ UInt64(client)))
                    return []
                }
            }
            group.addTask { try await readFeed() }
            group.addTask {
                // Raised also when it fails: the others would go on for ever.
                defer { isOver.raise() }
                try await strike(blows, SeededRandom(seed: seed &+ 1000))
                return []
            }
            var seen: [String] = []
            for try await found in group where !found.isEmpty { seen = found }
            return seen
        }
    }

    // MARK: The clients

    /// Posts orders in bursts until it is over, each until it is answered with 200; some are posted twice.
    private func post(_ client: Int, _ seeded: SeededRandom) async throws {
        var random = seeded
        var number = 0
        while !isOver.isRaised {
            for _ in 0..<25 {
                number += 1
                let id = "c\(client)-\(number)"
                let body = shop.orderEvent(id)
                try await post(body, id, &random)
                if random.next(upperBound: 8 as UInt64) == 0 { try await post(body, id, &random) }
            }
            await pass(.milliseconds(150))
        }
    }

    private func post(_ body: [UInt8], _ id: String, _ random: inout SeededRandom) async throws {
        while true {
            let server = pick(&random)
            if let answer = try? await shop.at(server.address).deliver(body) {
                if answer.status == 200 { return try ledger.record(id, answer.text("status")) }
                guard answer.status == 503 else {
                    throw Overdue(description: "\(id) was answered \(answer.status) \(answer.text)")
                }
            }
            await pass(.milliseconds(20))
        }
    }

    private func pick(_ random: inout SeededRandom) -> TestServer {
        servers[Int(random.next(upperBound: UInt64(servers.count)))]
    }

    /// Reads the feed with a cursor until it is over, from whichever copy answers.
    private func readFeed() async throws -> [String] {
        var seen: [String] = []
        var turn = 0
        while !isOver.isRaised {
            turn += 1
            let after = seen.last.map { "&after=\($0)" } ?? ""
            let api = shop.at(servers[turn % servers.count].address).api
            if let answer = try? await api.get("/api/v1/webhooks/events?limit=200\(after)"), answer.status == 200 {
                seen += try answer.page().map { try $0.text("id") }
            }
            await pass(.milliseconds(30))
        }
        return seen
    }

    // MARK: The blows

    private func strike(_ blows: [Blow], _ seeded: SeededRandom) async throws {
        var random = seeded
        for blow in blows {
            let victim = pick(&random)
            switch blow {
            case .anywhere:
                try await progress(20 + Int(random.next(upperBound: 120 as UInt64)))
                await pass(.milliseconds(Int(random.next(upperBound: 30 as UInt64))))
            case .at(let point):
                await victim.kill()
                let turn = 1 + Int(random.next(upperBound: 12 as UInt64))
                let doomed = try await victim.start(["TRADEWIND_CRASH_AT": "\(point.rawValue):\(turn)"])
                try await until("the server comes to \(point) for the \(turn). time") { doomed.hasEnded }
                #expect(await doomed.exit() == .signal(Int(SIGKILL)))
            }
            await victim.kill()
            await pass(.milliseconds(Int(random.next(upperBound: 200 as UInt64))))
            try await victim.start()
        }
        try await progress(50)
    }

    /// Waits until the ledger has grown by that many lines.
    private func progress(_ count: Int) async throws {
        let goal = ledger.count + count
        try await until("the ledger has \(goal) lines", every: .milliseconds(10)) { ledger.count >= goal }
    }

    // MARK: The books

    /// All orders of the shop by the source's id.
    func orders() async throws -> [String: [String]] {
        var found: [String: [String]] = [:]
        var cursor = ""
        while true {
            let answer = try await here.api.get("/api/v1/oms/orders?limit=100\(cursor)")
            for order in try answer.page() {
                found[try order.text("external_id"), default: []].append(try order.text("id"))
            }
            guard let next = answer["next_cursor"]?.string else { return found }
            cursor = "&cursor=\(next)"
        }
    }

    /// The shop at a copy that runs.
    var here: Shop { shop.at(servers[0].address) }

    /// Compares the ledger with the orders, the receiver's deliveries and the feed.
    ///
    /// - Parameter seen: the feed as it was read during the blows.
    func compare(_ seen: [String]) async throws {
        let ids = try ledger.ids()
        try await until("each acknowledged event has its order", within: .seconds(60), every: .milliseconds(300)) {
            let orders = try await self.orders()
            return ids.allSatisfy { orders[$0] != nil }
        }
        let orders = try await self.orders()
        #expect(orders.filter { $0.value.count != 1 }.isEmpty, "an order exists twice")
        #expect(try await here.api.get("/api/v1/workflows?limit=100").page().isEmpty, "imports were given up")

        try await until("each order was delivered", within: .seconds(60), every: .milliseconds(300)) {
            ids.subtracting(receiver.deliveries.lazy.map(\.externalID)).isEmpty
        }
        try await until("each order is in the feed", every: .milliseconds(300)) {
            try await here.feed().count { $0["event_type"]?.string == "order.created" } >= orders.count
        }
        let feed = try await here.feed()
        let created = feed.filter { $0["event_type"]?.string == "order.created" }.compactMap { $0["entity_id"]?.string }
        #expect(created.count == Set(created).count, "an order is in the feed twice")
        #expect(Set(created) == Set(orders.values.joined()))
        let places = feed.compactMap { $0["id"]?.string }
        #expect(Array(places.prefix(seen.count)) == seen, "the feed changed between two readings")
        #expect(seen.count > 50)
    }
}
