import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

@Suite("Levels and their ledger")
struct InventoryTests {
    // MARK: Adjusting

    @Test("An adjustment writes a level, a ledger line and an event", arguments: TestEngine.allCases)
    func adjusting(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            let body = """
                {"variant_id":"\(variant.id)","quantity_delta":12,"reason":"return","note":"found behind the shelf"}
                """
            let line = try #require(
                try await shop.inventory.adjust(
                    request(body) { AdjustmentRequest($0) }, scope: Shop.scope, actor: Shop.actor))
            #expect(line.delta == Balance(onHand: 12) && line.after == Balance(onHand: 12))
            #expect(line.reason == .returned && line.note == "found behind the shelf" && line.sku == "A")
            #expect(line.user == Shop.actor.user && line.source == "api")
            let level = try #require(try await shop.levels().first)
            #expect(level.variant == variant.id && level.sku == "A" && level.balance == Balance(onHand: 12))
            let home = try #require(try await shop.locations.list(scope: Shop.scope, after: nil, limit: 5).first)
            #expect(level.location == home.id && home.isDefault && home.name == "Default")
            let event = try #require(try await shop.events().last)
            #expect(event.type == "inventory.adjusted" && event.payload["on_hand"]?.integer == 12)
            #expect(event.payload["ledger_entry_id"]?.string == line.id.description && event.payload["notes"] == nil)
        }
    }

    @Test("A change of nothing leaves no line and no event", arguments: TestEngine.allCases)
    func nothing(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            #expect(try await shop.stock(variant.id, 0) == nil)
            #expect(try await shop.ledger().isEmpty)
            #expect(try await shop.levels().isEmpty)
            #expect(try await shop.eventTypes() == ["product.created"])
        }
    }

    @Test(
        "Several adjustments happen all or not at all, and the refusal names its line", arguments: TestEngine.allCases)
    func bulk(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.allocate(.hard)
            let (a, b) = (try await shop.variant("A").id, try await shop.variant("B").id)
            func adjust(_ lines: [(VariantID, Int64)]) async throws -> [LedgerLine?] {
                let texts = lines.map { #"{"variant_id":"\#($0.0)","quantity_delta":\#($0.1)}"# }
                let body = #"{"adjustments":[\#(texts.joined(separator: ","))]}"#
                return try await shop.inventory.adjust(
                    request(body) { AdjustmentRequest.list($0) }, scope: Shop.scope, actor: Shop.actor)
            }
            let lines = try await adjust([(a, 5), (b, 0), (a, -2), (b, 7)])
            #expect(lines.map { $0?.after.onHand } == [5, nil, 3, 7])
            let refusal = await #expect(throws: Refusal.self) { _ = try await adjust([(a, 1), (b, -8)]) }
            #expect(refusal?.kind == .conflict && refusal?.fields.first == Refusal.Field("index", .number("1")))
            let missing = await #expect(throws: Refusal.self) {
                _ = try await adjust([(a, 1), (VariantID(high: 9, low: 9), 1)])
            }
            #expect(missing?.kind == .notFound && missing?.fields == [Refusal.Field("index", .number("1"))])
            #expect(missing?.faults.map(\.pointer) == ["/adjustments/1/variant_id"])
            #expect(try await shop.balance(a) == Balance(onHand: 3))
            try await shop.expectLedgerAddsUp()
        }
    }

    @Test("A transfer's locations that are none are told at their place", arguments: TestEngine.allCases)
    func missing(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, 5)
            let (here, nowhere) = (try #require(try await shop.levels().first).location, LocationID(high: 9, low: 9))
            for (from, to, name) in [(nowhere, here, "from_location_id"), (here, nowhere, "to_location_id")] {
                let ends = #""from_location_id":"\#(from)","to_location_id":"\#(to)""#
                await #expect(throws: Refusal.notFound("location", at: ["/\(name)"])) {
                    _ = try await shop.inventory.transfer(
                        request(#"{"variant_id":"\#(variant)",\#(ends),"quantity":1}"#) { TransferRequest($0) },
                        scope: Shop.scope, actor: Shop.actor)
                }
            }
            #expect(try await shop.balance(variant) == Balance(onHand: 5))
        }
    }

    // MARK: Hard and soft

    @Test("Below zero is refused where the tenant allocates hard, and only there", arguments: TestEngine.allCases)
    func allocation(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, -2)
            #expect(try await shop.balance(variant) == Balance(onHand: -2))
            try await shop.allocate(.hard)
            try await shop.stock(variant, 5)
            let refusal = await #expect(throws: Refusal.self) { try await shop.stock(variant, -4) }
            #expect(refusal?.kind == .conflict)
            #expect(refusal?.fields.contains(Refusal.Field("on_hand", .number("3"))) == true)
            try await shop.stock(variant, -3)
            #expect(try await shop.balance(variant) == Balance())
            try await shop.expectLedgerAddsUp()
        }
    }

    @Test("Many callers at once on one variant lose nothing", arguments: TestEngine.allCases)
    func hotVariant(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A").id
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<16 {
                    group.addTask {
                        for step in 0..<20 {
                            let line = try await shop.stock(variant, Int64(client + step + 1))
                            #expect(line?.delta.onHand == Int64(client + step + 1))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let expected = (0..<16).flatMap { client in (0..<20).map { Int64(client + $0 + 1) } }.reduce(0, +)
            #expect(try await shop.balance(variant) == Balance(onHand: expected))
            #expect(try await shop.ledger().count == 320)
            #expect(try await shop.eventTypes().count { $0 == "inventory.adjusted" } == 320)
            try await shop.expectLedgerAddsUp()
        }
    }

    @Test("Many callers at once can't take more than there is", arguments: TestEngine.allCases)
    func race(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.allocate(.hard)
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, 25)
            let taken = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        do {
                            try await shop.stock(variant, -1)
                            return 1
                        } catch let refusal as Refusal where refusal.kind == .conflict {
                            return 0
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(taken == 25)
            #expect(try await shop.balance(variant) == Balance())
            try await shop.expectLedgerAddsUp()
        }
    }

    @Test("A hundred adjustments of one transaction take nine statements", arguments: TestEngine.allCases)
    func statements(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, 1)
            let sets = (0..<100).map { _ in
                AdjustmentSet(
                    scope: Shop.scope, actor: Shop.actor,
                    changes: [
                        AdjustmentSet.Change(
                            variant: variant, location: nil, delta: 1, reason: .adjustment, floor: .onHand, note: nil)
                    ], namesIndex: false)
            }
            let planner = AdjustmentPlanner(ids: shop.ids)
            let before = shop.database.statementCount
            try await shop.publisher.write { transaction, events in
                _ = try planner.perform(sets, events: events, in: transaction)
            }
            #expect(shop.database.statementCount - before <= 9)
            #expect(try await shop.balance(variant) == Balance(onHand: 101))
        }
    }

    // MARK: Locations

    @Test("The first location is the default, and the mark moves", arguments: TestEngine.allCases)
    func locations(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let first = try await shop.location("Front")
            let second = try await shop.location("Back")
            #expect(first.isDefault && !second.isDefault)
            let change = try request(#"{"is_default":true,"name":"Rear"}"#) { LocationChange($0) }
            let changed = try await shop.locations.change(second.id, change, scope: Shop.scope)
            #expect(changed.isDefault && changed.name == "Rear" && changed.version == 2)
            #expect(try await shop.locations.require(first.id, scope: Shop.scope).isDefault == false)
            let variant = try await shop.variant("A").id
            #expect(try await shop.stock(variant, 1)?.location == second.id)
            #expect(try await shop.locations.list(scope: Shop.scope, after: nil, limit: 9).count == 2)
        }
    }

    @Test("A transfer moves what is available and no more", arguments: TestEngine.allCases)
    func transfer(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.allocate(.hard)
            let (front, back) = (try await shop.location("Front"), try await shop.location("Back"))
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, 5)
            func move(_ quantity: Int64) async throws -> [LedgerLine] {
                let body = """
                    {"variant_id":"\(variant)","from_location_id":"\(front.id)","to_location_id":"\(back.id)",
                     "quantity":\(quantity)}
                    """
                return try await shop.inventory.transfer(
                    request(body) { TransferRequest($0) }, scope: Shop.scope, actor: Shop.actor)
            }
            let lines = try await move(3)
            #expect(lines.map(\.delta.onHand) == [-3, 3] && lines.map(\.location) == [front.id, back.id])
            #expect(lines[0].transfer != nil && lines[0].transfer == lines[1].transfer)
            let refusal = await #expect(throws: Refusal.self) { _ = try await move(3) }
            #expect(refusal?.kind == .conflict)
            #expect(try await shop.balance(variant) == Balance(onHand: 5))
            try await shop.expectLedgerAddsUp()
        }
    }

    @Test("Other owners' variants and locations are not found", arguments: TestEngine.allCases)
    func owners(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let own = try await shop.variant("A").id
            for scope in [Shop.sister, Shop.stranger] {
                let (theirs, place) = (
                    try await shop.variant("X-\(scope.organisation)", scope: scope).id,
                    try await shop.location("Theirs", scope: scope)
                )
                await #expect(throws: Refusal.notFound("variant", at: ["/variant_id"])) {
                    try await shop.stock(theirs, 1)
                }
                await #expect(throws: Refusal.notFound("location", at: ["/location_id"])) {
                    try await shop.stock(own, 1, at: place.id)
                }
                await #expect(throws: Refusal.notFound("location")) {
                    _ = try await shop.locations.require(place.id, scope: Shop.scope)
                }
                try await shop.stock(theirs, 4, scope: scope)
                #expect(try await shop.levels(scope).count == 1)
            }
            #expect(try await shop.ledger().isEmpty)
            #expect(try await shop.levels().isEmpty)
        }
    }

    // MARK: Thresholds

    @Test("A level is low at its own threshold, or else at the tenant's", arguments: TestEngine.allCases)
    func thresholds(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.allocate(.soft, threshold: 3)
            let (a, b) = (try await shop.variant("A").id, try await shop.variant("B").id)
            try await shop.stock(a, 3)
            try await shop.stock(b, 4)
            #expect(try await shop.events().suffix(2).map { $0.payload["low_stock"]?.bool } == [true, false])
            var low = InventoryService.LevelQuery(limit: 10)
            low.onlyLow = true
            #expect(try await shop.inventory.levels(low, scope: Shop.scope).map(\.variant) == [a])
            for level in try await shop.levels() {
                let own: Int64 = level.variant == a ? 2 : 9
                let changed = try await shop.inventory.setThreshold(own, of: level.id, scope: Shop.scope)
                #expect(changed.threshold == own && changed.isLow == (level.variant == b))
            }
            #expect(try await shop.inventory.levels(low, scope: Shop.scope).map(\.variant) == [b])
            let level = try #require(try await shop.levels().first)
            await #expect(throws: Refusal.notFound("level")) {
                _ = try await shop.inventory.setThreshold(1, of: level.id, scope: Shop.sister)
            }
            #expect(try await shop.inventory.setThreshold(nil, of: level.id, scope: Shop.scope).threshold == 3)
        }
    }

    // MARK: Bad input

    @Test(
        "Bad bodies are refused with the field's name",
        arguments: [
            (#"{"quantity_delta":1}"#, "/variant_id"),
            (#"{"variant_id":"x","quantity_delta":1}"#, "/variant_id"),
            (#"{"variant_id":7,"quantity_delta":1}"#, "/variant_id"),
            (#"{"variant_id":"ID"}"#, "/quantity_delta"),
            (#"{"variant_id":"ID","quantity_delta":1.5}"#, "/quantity_delta"),
            (#"{"variant_id":"ID","quantity_delta":"1"}"#, "/quantity_delta"),
            (#"{"variant_id":"ID","quantity_delta":1000000001}"#, "/quantity_delta"),
            (#"{"variant_id":"ID","quantity_delta":1e400}"#, "/quantity_delta"),
            (#"{"variant_id":"ID","quantity_delta":1,"location_id":"here"}"#, "/location_id"),
            (#"{"variant_id":"ID","quantity_delta":1,"reason":"transfer"}"#, "/reason"),
            (#"{"variant_id":"ID","quantity_delta":1,"reason":"stolen"}"#, "/reason"),
            (#"{"variant_id":"ID","quantity_delta":1,"note":5}"#, "/note"),
            (#"{"variant_id":"ID","quantity_delta":1,"qty":5}"#, "/qty"),
        ])
    func badAdjustments(_ row: (body: String, pointer: String)) throws {
        let id = VariantID(high: 1, low: 1).description
        let body = row.body.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: id)
        let invalid = #expect(throws: InvalidDocument.self) { try request(body) { AdjustmentRequest($0) } }
        #expect(invalid?.faults.map(\.pointer) == [row.pointer])
    }

    @Test(
        "Bad transfers, lists and settings are refused with the field's name",
        arguments: [
            (#"{"adjustments":[]}"#, "/adjustments"), (#"{"adjustments":{}}"#, "/adjustments"),
            (#"{}"#, "/adjustments"), (#"{"adjustments":[{"variant_id":"ID"}]}"#, "/adjustments/0/quantity_delta"),
        ])
    func badLists(_ row: (body: String, pointer: String)) throws {
        let id = VariantID(high: 1, low: 1).description
        let body = row.body.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: id)
        let invalid = #expect(throws: InvalidDocument.self) { _ = try request(body) { AdjustmentRequest.list($0) } }
        #expect(invalid?.faults.map(\.pointer) == [row.pointer])
        let place = LocationID(high: 1, low: 2)
        let same = """
            {"variant_id":"\(id)","from_location_id":"\(place)","to_location_id":"\(place)","quantity":0}
            """
        let transfer = #expect(throws: InvalidDocument.self) { _ = try request(same) { TransferRequest($0) } }
        #expect(transfer?.faults.map(\.pointer) == ["/to_location_id", "/quantity"])
        let settings = #expect(throws: InvalidDocument.self) {
            _ = try request(#"{"inventory_allocation_model":"hard","default_low_stock_threshold":-1}"#) {
                InventorySettings($0)
            }
        }
        #expect(settings?.faults.count == 2)
    }
}
