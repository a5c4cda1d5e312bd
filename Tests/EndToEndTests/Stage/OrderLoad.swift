import HTTPTypes
import Kernel
import Synchronization
import TestSupport
import Testing

/// Clients that post orders all the time and keep a ledger of what was answered with 200.
struct OrderLoad: Sendable {
    /// Something that happens once.
    final class Flag: Sendable {
        private let state = Mutex(false)
        var isRaised: Bool { state.withLock { $0 } }
        func raise() { state.withLock { $0 = true } }
    }

    static let clients = 4

    let servers: [TestServer]
    let shop: Shop
    let ledger: Ledger
    let isOver = Flag()
    /// How often the server said that it can't store anything now.
    let refusals = Recorder<Answer>()

    /// Lets the clients post while the body runs, and until its end; returns what the body returns.
    func run<T: Sendable>(seed: UInt64, _ body: @Sendable @escaping () async throws -> T) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            for client in 0..<Self.clients {
                group.addTask {
                    try await post(client, SeededRandom(seed: seed &+ UInt64(client)))
                    return nil
                }
            }
            group.addTask {
                // Raised also when it fails: the others would go on for ever.
                defer { isOver.raise() }
                return try await body()
            }
            var result: T?
            for try await found in group { result = found ?? result }
            guard let result else { throw Overdue(description: "the load's body gave nothing") }
            return result
        }
    }

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
                guard answer.status == 503, answer.headers[.retryAfter] != nil else {
                    throw Overdue(description: "\(id) was answered \(answer.status) \(answer.text)")
                }
                refusals.record(answer)
            }
            // What was not answered before the end is in no ledger.
            if isOver.isRaised { return }
            await pass(.milliseconds(20))
        }
    }

    func pick(_ random: inout SeededRandom) -> TestServer {
        servers[Int(random.next(upperBound: UInt64(servers.count)))]
    }

    /// Waits until the ledger has grown by that many lines.
    func progress(_ count: Int) async throws {
        let goal = ledger.count + count
        try await until("the ledger has \(goal) lines", every: .milliseconds(10)) { ledger.count >= goal }
    }

    // MARK: The books

    /// The shop at a copy that runs.
    var here: Shop { shop.at(servers[0].address) }

    /// All orders of the shop: our ids by the source's.
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

    /// Waits until each event in the ledger has its order, and returns all orders.
    func ordersOfLedger() async throws -> [String: [String]] {
        let ids = try ledger.ids()
        return try await eventually(
            "each acknowledged event has its order", within: .seconds(60), every: .milliseconds(300)
        ) {
            let orders = try await orders()
            return ids.allSatisfy { orders[$0] != nil } ? orders : nil
        }
    }
}
