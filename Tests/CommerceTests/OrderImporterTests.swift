import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

@Suite("Importing batches of snapshots")
struct OrderImporterTests {
    /// Three states of each of 20 orders and four lonely ones, in an order that the seed decides.
    private static func mixed(seed: UInt64) -> [OrderSnapshot] {
        var random = SeededRandom(seed: seed)
        var all: [OrderSnapshot] = []
        for number in 0..<20 {
            let refund = OrderSnapshot.Refund(externalID: "r", amount: usd(10), reason: nil)
            all.append(snapshot("o\(number)", at: 1, lines: [line("1", 3, sku: "K"), line("2", sku: "S-\(number)")]))
            all.append(snapshot("o\(number)", at: 2, status: .completed, lines: [line("1", 2, sku: "K"), line("3")]))
            all.append(snapshot("o\(number)", at: 3, status: .refunded, lines: [line("1")], refunds: [refund]))
        }
        for number in 20..<24 { all.append(snapshot("o\(number)", at: nil, lines: [line("1", item: "ext")])) }
        all.shuffle(using: &random)
        return all
    }

    private func anonymous(_ shop: Shop) async throws -> [Order] {
        try await shop.stored().values.map(\.anonymous).sorted { $0.idempotencyKey < $1.idempotencyKey }
    }

    /// Stock moves once for what a whole batch makes of an order, so its events are fewer.
    private func orderEvents(_ shop: Shop) async throws -> [String] {
        try await shop.eventTypes().filter { $0 != "inventory.adjusted" }
    }

    @Test(
        "A batch of 64 ends as the same snapshots one by one, with the same outcomes and events",
        arguments: TestEngine.allCases, [UInt64(1), 2, 3])
    func batch(_ engine: TestEngine, _ seed: UInt64) async throws {
        let snapshots = Self.mixed(seed: seed)
        let (whole, wholeEvents, wholeOutcomes) = try await withShop(engine) { shop in
            try await shop.variant("K")
            let outcomes = try await shop.take(snapshots)
            return (try await anonymous(shop), try await orderEvents(shop), outcomes.map(\.word))
        }
        let (single, singleEvents, singleOutcomes) = try await withShop(engine) { shop in
            try await shop.variant("K")
            var outcomes: [ImportOutcome] = []
            for snapshot in snapshots { outcomes += try await shop.take([snapshot]) }
            return (try await anonymous(shop), try await orderEvents(shop), outcomes.map(\.word))
        }
        #expect(whole.count == 24)
        #expect(whole == single)
        #expect(wholeEvents == singleEvents)
        #expect(wholeOutcomes == singleOutcomes)
    }

    @Test(
        "Three states of one order in one batch end as one order, whatever their order", arguments: TestEngine.allCases)
    func permutations(_ engine: TestEngine) async throws {
        let states = [
            snapshot("a", at: 1, status: .pendingPayment), snapshot("a", at: 2, status: .processing),
            snapshot("a", at: 3, status: .cancelled),
        ]
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        for (number, places) in orders.enumerated() {
            try await withShop(engine) { shop in
                let outcomes = try await shop.take(places.map { states[$0] })
                let order = try await shop.order("a")
                #expect(order.status == .cancelled && order.sourceVersion == moment(3), "order \(number)")
                #expect(outcomes.filter { $0.word == "created" }.count == 1)
                #expect(Set(outcomes.map(\.order)) == [order.id])
                let events = try await shop.eventTypes().filter { $0.hasPrefix("order") }
                #expect(events.first == "order.created")
                #expect(events.count == outcomes.filter { $0.word != "stale" }.count)
                #expect(order.version == Int64(events.count))
            }
        }
    }

    @Test(
        "order.created, order.updated: events tell the state after each step, and what caused it",
        arguments: TestEngine.allCases)
    func events(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let outcomes = try await shop.take([
                snapshot("a", at: 1), snapshot("a", at: 1), snapshot("a", at: 2, status: .cancelled),
                snapshot("a", at: 1, status: .failed), snapshot("b", at: 1),
            ])
            #expect(outcomes.map(\.word) == ["created", "unchanged", "updated", "stale", "created"])
            let all = try await shop.events()
            #expect(all.first?.type == "customer.created")
            let events = Array(all.dropFirst())
            #expect(events.map(\.type) == ["order.created", "order.updated", "order.created"])
            #expect(events.map { $0.payload["status"]?.string } == ["processing", "cancelled", "processing"])
            #expect(events[1].payload["changed"] == .array([.string("status")]))
            #expect(events[0].payload["external_id"] == .string("a"))
            let causes = try await shop.count(
                "SELECT count(*) FROM event e JOIN sales_order o ON o.inbox_id = e.causation_id")
            #expect(causes == 2)
        }
    }

    @Test(
        "64 new orders of known buyers cost at most 17 statements, events included, and of new ones 4 more",
        arguments: TestEngine.allCases)
    func statementCount(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.variant("K")
            let lines = [line("1", sku: "K"), line("2", sku: "L", item: "x")]
            let new = (0..<64).map { snapshot("o\($0)", at: 1, lines: lines) }
            try await shop.take([snapshot("buyer")])
            let before = shop.database.statementCount
            try await shop.take(new)
            #expect(shop.database.statementCount - before <= 17)
            let between = shop.database.statementCount
            try await shop.take((0..<64).map { snapshot("o\($0)", at: 2, status: .completed, lines: lines) })
            #expect(shop.database.statementCount - between <= 19)
            #expect(try await shop.count("SELECT count(*) FROM order_line WHERE quantity_fulfilled = 1") == 128)
            let strangers = (0..<64).map { number in
                var order = snapshot("s\(number)", at: 1, lines: lines)
                order.customer = OrderSnapshot.Customer(externalID: "s\(number)", name: "Bo", email: "\(number)@x.test")
                return order
            }
            let last = shop.database.statementCount
            try await shop.take(strangers)
            #expect(shop.database.statementCount - last <= 21)
        }
    }

    @Test("An order of 5,000 lines lands, and its update too", arguments: TestEngine.allCases)
    func large(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let lines = (0..<5000).map { line("\($0)", sku: "S-\($0)") }
            try await shop.variant("S-4999")
            try await shop.take([snapshot("a", at: 1, lines: lines)])
            try await shop.take([snapshot("a", at: 2, lines: Array(lines.dropFirst()))])
            let order = try await shop.order("a")
            #expect(order.lines.count == 5000 && order.lines.last?.key == "0")
            #expect(order.matchStatus == .partial && order.total == usd(499_900))
        }
    }

    @Test(
        "A refund that its source restates is told once with its new amount, and moves no stock",
        arguments: TestEngine.allCases, [true, false])
    func restatedRefund(_ engine: TestEngine, _ isOneBatch: Bool) async throws {
        func state(_ second: Int64, _ refunds: [(id: String, minor: Int64)]) -> OrderSnapshot {
            snapshot(
                "a", at: second, status: .completed, lines: [line("1", 3, sku: "K")],
                refunds: refunds.map { .init(externalID: $0.id, amount: usd($0.minor), reason: nil) })
        }
        let told = [
            state(1, [("line:1", 5)]), state(2, [("line:1", 10)]), state(2, [("line:1", 10)]),
            state(1, [("line:1", 5)]), state(3, [("r1", 10), ("r2", 2)]),
        ]
        try await withShop(engine) { shop in
            let variant = try await shop.variant("K").id
            try await shop.stock(variant, 10)
            if isOneBatch {
                try await shop.take(told)
            } else {
                for snapshot in told { try await shop.take([snapshot]) }
            }
            let order = try await shop.order("a")
            #expect(order.refunded == usd(12))
            #expect(order.adjustments.map(\.externalID) == ["line:1", "r1", "r2"])
            #expect(order.adjustments.map(\.amount) == [usd(0), usd(10), usd(2)])
            #expect(order.adjustments.map(\.isFromSource) == [true, true, true])
            let events = try await shop.events().filter { $0.type.hasPrefix("order") }
            #expect(events.map { $0.payload["refunded_total"]?.decimalText } == ["0.05", "0.10", "0.12"])
            #expect(events.dropFirst().allSatisfy { $0.payload["changed"] == .array([.string("refunded_total")]) })
            #expect(try await shop.balance(variant) == Balance(onHand: 7))
            #expect(try await shop.ledger().filter { $0.order == order.id }.count == 1)
            try await shop.expectLedgerAddsUp()
        }
    }

    @Test("A refund recorded by a call stays when the store tells others", arguments: TestEngine.allCases)
    func recordedRefund(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([snapshot("a", at: 1)])
            let id = try await shop.order("a").id
            let own = try request(#"{"external_id":"own","amount":0.5,"reason":"by hand"}"#) { RefundRequest($0) }
            _ = try await shop.orders.refund(id, own, scope: Shop.scope, actor: Shop.actor)
            let refunds = [OrderSnapshot.Refund(externalID: "own", amount: usd(99), reason: nil)]
            let outcomes = try await shop.take([snapshot("a", at: 2, refunds: refunds)])
            #expect(outcomes.map(\.word) == ["unchanged"])
            let order = try await shop.order("a")
            #expect(order.refunded == usd(50) && order.adjustments.map(\.isFromSource) == [false])
        }
    }

    @Test("The same order id of two connections is two orders", arguments: TestEngine.allCases)
    func connections(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([snapshot("a")])
            try await shop.take([snapshot("a")], connection: ID(high: 3, low: 2))
            #expect(try await shop.count("SELECT count(*) FROM sales_order") == 2)
            let refused = try await shop.take([snapshot("a", at: 9)], scope: Shop.sister)
            #expect(refused == [.refused(reason: "the order belongs to another organisation of the tenant")])
        }
    }

    @Test(
        "Orders know their customer, who is made once, also for a guest who comes again", arguments: TestEngine.allCases
    )
    func customers(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            func guest(_ id: String, at second: Int64 = 1, email: String?) -> OrderSnapshot {
                var guest = snapshot(id, at: second)
                guest.customer = OrderSnapshot.Customer(name: "Bo", email: email)
                return guest
            }
            try await shop.take([
                snapshot("a"), snapshot("b"), guest("c", email: "bo@x.test"), guest("d", email: nil),
            ])
            try await shop.take([guest("e", email: "BO@x.test"), guest("d", at: 2, email: "bo@x.test")])
            let stored = try await shop.stored()
            let ann = try #require(stored["a"]?.customerID)
            let bo = try #require(stored["c"]?.customerID)
            #expect(ann != bo && stored["b"]?.customerID == ann)
            #expect(stored["d"]?.customerID == bo && stored["e"]?.customerID == bo)
            #expect(try await shop.eventTypes().count { $0 == "customer.created" } == 2)
            let update = try #require(try await shop.events().last { $0.type == "order.updated" })
            #expect(update.payload["changed"] == .array([.string("customer")]))
            var query = OrderQuery(limit: 10)
            query.customer = bo
            #expect(try await shop.orders.list(query, scope: Shop.scope).map(\.externalID) == ["c", "d", "e"])
            #expect(try await shop.orders.list(query, scope: Shop.sister).isEmpty)
        }
    }

    @Test("A refusal leaves the other snapshots of its batch alone", arguments: TestEngine.allCases)
    func refusal(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([snapshot("a", at: 1)])
            var euro = OrderSnapshot(externalID: "a", currency: try #require(Currency(code: "EUR")), lines: [])
            euro.updatedAt = moment(2)
            let outcomes = try await shop.take([snapshot("b"), euro, snapshot("a", at: 3, status: .failed)])
            #expect(outcomes.map(\.word) == ["created", "refused", "updated"])
            #expect(try await shop.order("a").currency == .usd)
        }
    }

    @Test("A batch whose transaction fails leaves nothing behind", arguments: TestEngine.allCases)
    func rollback(_ engine: TestEngine) async throws {
        struct Stop: Error {}
        try await withShop(engine) { (shop: Shop) async throws -> Void in
            let arrival = ImportedSnapshot(
                scope: Shop.scope, connection: Shop.connection, provider: "x", inbox: shop.ids.next(),
                snapshot: snapshot("a"))
            await #expect(throws: Stop.self) {
                try await shop.publisher.write { (transaction, events) throws -> Void in
                    let lookup = try shop.importer.ask(for: [arrival], in: transaction)
                    _ = try shop.importer.apply([arrival], lookup, events: events, in: transaction)
                    throw Stop()
                }
            }
            #expect(try await shop.stored().isEmpty)
            #expect(try await shop.eventTypes().isEmpty)
        }
    }
}

extension ImportOutcome {
    var word: String {
        switch self {
        case .created: "created"
        case .updated: "updated"
        case .unchanged: "unchanged"
        case .stale: "stale"
        case .refused: "refused"
        }
    }

    var order: OrderID? {
        switch self {
        case .created(let id), .updated(let id), .unchanged(let id), .stale(let id): id
        case .refused: nil
        }
    }
}
