import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

@Suite("Stock that orders move")
struct OrderStockTests {
    @Test(
        "inventory.adjusted: an import reserves, sends and gives back in the transaction of the order",
        arguments: TestEngine.allCases)
    func imports(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, 10)
            func take(_ second: Int64, _ status: OrderStatus, _ quantity: Int64 = 4) async throws -> Balance {
                try await shop.take([
                    snapshot("o", at: second, status: status, lines: [line("1", quantity, sku: "A")])
                ])
                return try await shop.balance(variant)
            }
            #expect(try await take(1, .pendingPayment) == Balance(onHand: 10, reserved: 4))
            #expect(try await take(2, .processing) == Balance(onHand: 10, reserved: 4))
            #expect(try await take(3, .processing, 6) == Balance(onHand: 10, reserved: 6))
            #expect(try await take(2, .cancelled) == Balance(onHand: 10, reserved: 6), "stale")
            #expect(try await take(4, .completed, 6) == Balance(onHand: 4))
            #expect(try await take(4, .completed, 6) == Balance(onHand: 4))
            #expect(try await take(5, .refunded, 6) == Balance(onHand: 10))
            let reasons = try await shop.ledger().map(\.reason)
            #expect(reasons == [.adjustment, .reservation, .reservation, .sale, .returned])
            let events = try await shop.events().filter { $0.type == "inventory.adjusted" }
            #expect(events.map { $0.payload["available"]?.integer } == [10, 6, 4, 4, 10])
            try await shop.expectLedgerAddsUp()
        }
    }

    @Test("A store's order goes below and is flagged; a caller's is refused and named", arguments: TestEngine.allCases)
    func hard(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.allocate(.hard)
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, 2)
            let body = #"{"idempotency_key":"k","currency":"USD","items":[{"sku":"A","quantity":3,"unit_price":1}]}"#
            let refusal = await #expect(throws: Refusal.self) {
                _ = try await shop.orders.place(request(body) { NewOrder($0) }, scope: Shop.scope, actor: Shop.actor)
            }
            #expect(refusal?.kind == .conflict)
            #expect(refusal?.fields.contains(Refusal.Field("line_id", .string("1"))) == true)
            #expect(refusal?.fields.contains(Refusal.Field("available", .number("2"))) == true)
            #expect(try await shop.eventTypes() == ["product.created", "inventory.adjusted"])
            try await shop.take([snapshot("o", at: 1, lines: [line("1", 3, sku: "A")])])
            #expect(try await shop.balance(variant) == Balance(onHand: 2, reserved: 3))
            let flagged = try await shop.order("o").isOversold
            #expect(flagged)
            #expect(try await shop.events().last?.payload["oversold"] == .bool(true))
            try await shop.take([snapshot("o", at: 2, status: .completed, lines: [line("1", 3, sku: "A")])])
            let sent = try await shop.order("o").isOversold
            #expect(!sent)
            #expect(try await shop.balance(variant) == Balance(onHand: -1))
        }
    }

    @Test("Many callers at once can't be promised more than there is", arguments: TestEngine.allCases)
    func race(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.allocate(.hard)
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, 7)
            let placed = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let body = """
                            {"idempotency_key":"k\(number)","currency":"USD",
                             "items":[{"sku":"A","quantity":1,"unit_price":1}]}
                            """
                        do {
                            _ = try await shop.orders.place(
                                request(body) { NewOrder($0) }, scope: Shop.scope, actor: Shop.actor)
                            return 1
                        } catch let refusal as Refusal where refusal.kind == .conflict {
                            return 0
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(placed == 7)
            #expect(try await shop.balance(variant) == Balance(onHand: 7, reserved: 7))
        }
    }

    @Test("A line that is matched later takes its stock then", arguments: TestEngine.allCases)
    func rematch(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([snapshot("o", at: 1, lines: [line("1", 3, sku: "A"), line("2", 1, sku: "B")])])
            #expect(try await shop.levels().isEmpty)
            let variant = try await shop.variant("A").id
            await shop.rematch.drain()
            #expect(try await shop.balance(variant) == Balance(reserved: 3))
            #expect(try await shop.ledger().map(\.source) == ["rematch"])
            try await shop.take([snapshot("o", at: 2, status: .cancelled, lines: [line("1", 3, sku: "A")])])
            #expect(try await shop.balance(variant) == Balance())
        }
    }

    @Test("Stock lies where the variant's owner has it, and a line keeps its location", arguments: TestEngine.allCases)
    func places(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let sister = try await shop.variant("S", scope: Shop.sister).id
            let own = try await shop.variant("A").id
            let first = try await shop.location("First")
            try await shop.take([snapshot("o", at: 1, lines: [line("1", 2, sku: "S"), line("2", 1, sku: "A")])])
            #expect(try await shop.balance(sister, scope: Shop.sister) == Balance(reserved: 2))
            let second = try await shop.location("Second", isDefault: true)
            try await shop.take([snapshot("o", at: 2, status: .cancelled)])
            #expect(try await shop.levels().map(\.location) == [first.id])
            #expect(try await shop.balance(own) == Balance())
            #expect(try await shop.balance(sister, scope: Shop.sister) == Balance())
            try await shop.take([snapshot("p", at: 2, lines: [line("1", 1, sku: "A")])])
            #expect(try await shop.order("p").lines[0].location == second.id)
            let body = """
                {"idempotency_key":"k","currency":"USD","items":[
                    {"sku":"A","quantity":1,"unit_price":1,"location_id":"\(first.id)"}]}
                """
            let placed = try await shop.orders.place(
                request(body) { NewOrder($0) }, scope: Shop.scope, actor: Shop.actor)
            #expect(placed.order.lines[0].location == first.id)
            let theirs = try await shop.location("Theirs", scope: Shop.stranger).id
            let foreign = body.split(separator: first.id.description).joined(separator: theirs.description)
                .split(separator: "\"k\"").joined(separator: "\"k2\"")
            await #expect(throws: Refusal.notFound("location", at: ["/items/0/location_id"])) {
                _ = try await shop.orders.place(
                    request(foreign) { NewOrder($0) }, scope: Shop.scope, actor: Shop.actor)
            }
        }
    }

    @Test("The stock of a batch takes three statements", arguments: TestEngine.allCases)
    func statements(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            for sku in ["A", "B", "C"] { try await shop.variant(sku) }
            try await shop.take([snapshot("warm", at: 1, lines: [line("1", 1, sku: "A")])])
            func count(_ prefix: String, sku: (String) -> String?) async throws -> Int {
                let before = shop.database.statementCount
                try await shop.take(
                    (0..<32).map { number in
                        snapshot("\(prefix)\(number)", lines: ["A", "B", "C"].map { line($0, 1, sku: sku($0)) })
                    })
                return shop.database.statementCount - before
            }
            let without = try await count("u") { "none-\($0)" }
            let with = try await count("m") { $0 }
            // One fewer where every line is matched: no other spelling of a SKU is looked for.
            #expect(with - without <= 3 && with <= 20, "\(with) and \(without)")
        }
    }

    @Test("A snapshot without a customer leaves the stored one", arguments: TestEngine.allCases)
    func customer(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([snapshot("o", at: 1)])
            var silent = snapshot("o", at: 2, status: .completed)
            silent.customer = OrderSnapshot.Customer()
            try await shop.take([silent])
            let order = try await shop.order("o")
            #expect(order.customer.name == "Ann" && order.customer.email == "ann@example.test")
            #expect(order.status == .completed)
            var renamed = snapshot("o", at: 3)
            renamed.customer = OrderSnapshot.Customer(name: "Bo")
            try await shop.take([renamed])
            #expect(try await shop.order("o").customer == OrderSnapshot.Customer(name: "Bo"))
        }
    }
}
