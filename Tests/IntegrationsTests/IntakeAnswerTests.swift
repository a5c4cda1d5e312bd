import Commerce
import Connectors
import Durable
import Events
import HTTPTypes
import Kernel
import Signing
import Storage
import TestSupport
import Testing

@testable import Integrations

@Suite("What the intake answers")
struct IntakeAnswerTests {
    private static let unauthenticated = Refusal(.unauthenticated, "The signature is missing or does not match.")
    private static let inactive = Refusal(.forbidden, "The connection is not active.")

    private func refusal(_ call: () async throws -> Intake.Answer) async -> Refusal? {
        await #expect(throws: Refusal.self) { _ = try await call() }
    }

    // MARK: 401 and 403

    @Test(
        "A missing, malformed or wrong signature and an unknown connection get the same words",
        arguments: TestEngine.allCases)
    func unauthenticated(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let other = try await door.connect("conn-2", scope: Door.stranger)
            let body = envelope(order("a"))
            let good = try signature(SignatureCatalog.unifiedInbound, body, link.secret)
            let name = try #require(HTTPField.Name("X-Unified-Signature"))
            let value = try #require(good[name])
            var repeated = good
            repeated.append(HTTPField(name: name, value: value))
            let wrong: [HTTPFields] = [
                [:], [name: ""], [name: "zz"], [name: String(value.dropLast())], [name: "sha256=" + value],
                [name: String(repeating: "0", count: 64)], repeated,
                try signature(SignatureCatalog.unifiedInbound, body, other.secret),
                try signature(SignatureCatalog.unifiedInbound, body + " ", link.secret),
                try signature(SignatureCatalog.woocommerce, body, link.secret),
            ]
            for headers in wrong {
                let found = await refusal {
                    try await door.intake.accept(at: .unified, body: Array(body.utf8), headers: headers)
                }
                #expect(found == Self.unauthenticated)
            }
            #expect(
                await refusal { try await door.send(envelope("{}", connection: "x"), over: link) }
                    == Self.unauthenticated)
            #expect(try await door.count("SELECT count(*) FROM inbox") == 0)
            let upper: HTTPFields = [name: value.uppercased()]
            #expect(try await door.intake.accept(at: .unified, body: Array(body.utf8), headers: upper).accepted != nil)
        }
    }

    @Test(
        "A paused or disconnected connection is refused, but only to who can sign", arguments: TestEngine.allCases,
        [Connection.Status.paused, .disconnected])
    func inactive(_ engine: TestEngine, _ status: Connection.Status) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let body = envelope(order("a"))
            _ = try await door.send(body, over: link)
            _ = try await door.connections.setStatus(status, of: link.id, scope: Door.scope)
            let next = envelope(order("b"))
            #expect(await refusal { try await door.send(next, over: link) } == Self.inactive)
            #expect(await refusal { try await door.send(next, secret: Door.gatewaySecret) } == Self.inactive)
            #expect(
                await refusal { try await door.send(next, secret: Secret("wrong-wrong-wrong")) } == Self.unauthenticated
            )
            #expect(try await door.count("SELECT count(*) FROM inbox") == 1)
        }
    }

    @Test(
        "The gateway's secret signs for all connections, and learns that one is unknown", arguments: TestEngine.allCases
    )
    func gateway(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            _ = try await door.connect()
            #expect(try await door.send(envelope(order("a")), secret: Door.gatewaySecret).accepted != nil)
            let unknown = envelope(order("a"), connection: "nobody")
            #expect(await refusal { try await door.send(unknown, secret: Door.gatewaySecret) } == Self.inactive)
            // What was unknown is asked for anew once it is saved here.
            _ = try await door.connect("nobody")
            #expect(try await door.send(unknown, secret: Door.gatewaySecret).accepted != nil)
        }
    }

    // MARK: 400

    @Test(
        "A body that is no event is refused with the place of its fault, if there is a signature at all",
        arguments: TestEngine.allCases,
        [
            ("", "The body can't be read as JSON: the body is empty."),
            ("{", "The body can't be read as JSON: the text ends in the middle of a value, at byte 1."),
            ("[]", "The body can't be read as JSON: the body is not a JSON object."),
            (#"{"event":"x"}"#, #"The body has no "connection_id", or it is not a text."#),
            (#"{"connection_id":7,"event":"x"}"#, #"The body has no "connection_id", or it is not a text."#),
            (#"{"connection_id":"conn-1"}"#, #"The body has no "event", or it is not a text."#),
            (#"{"connection_id":"conn-1","event":" "}"#, #"The body has no "event", or it is not a text."#),
        ])
    func malformed(_ engine: TestEngine, _ row: (body: String, words: String)) async throws {
        let (body, words) = row
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let signed = await refusal { try await door.send(body, over: link) }
            #expect(signed == Refusal(.malformed, words))
            let bare = await refusal {
                try await door.intake.accept(at: .unified, body: Array(body.utf8), headers: [:])
            }
            #expect(bare == Self.unauthenticated)
        }
    }

    @Test(
        "Nesting beyond the bound is no JSON at the gateway's door, and is parked at a store's own",
        arguments: TestEngine.allCases)
    func nesting(_ engine: TestEngine) async throws {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let found = await refusal { try await door.send(envelope(#"{"id":"a","x":\#(deep)}"#), over: link) }
            #expect(found?.kind == .malformed && found?.sentence.contains("nested deeper than 64 levels") == true)
            let shop = try await door.connect("shop", provider: "woocommerce")
            let body = #"{"id":1,"currency":"USD","line_items":[],"x":\#(deep)}"#
            _ = try await door.sendNative(body, topic: "order.created", to: shop.id, secret: shop.secret)
            await door.runner.drain()
            let entry = try #require(try await door.log(shop).first)
            #expect(entry.state == "parked" && entry.reason?.hasPrefix("body: nested deeper than 64 levels") == true)
        }
    }

    // MARK: 200

    @Test("An event is accepted once and then known by the same id", arguments: TestEngine.allCases)
    func duplicate(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let (link, other) = (try await door.connect(), try await door.connect("conn-2"))
            let body = envelope(order("a"))
            let id = try #require(try await door.send(body, over: link).accepted)
            #expect(try await door.send(body, over: link) == .duplicate(id))
            #expect(try await door.send(body, secret: Door.gatewaySecret) == .duplicate(id))
            // Any difference makes it another event: its bytes, its name, its connection.
            #expect(try await door.send(body + " ", over: link).accepted != nil)
            let renamed = envelope(order("a"), event: "accounting.order.updated")
            #expect(try await door.send(renamed, over: link).accepted != nil)
            #expect(try await door.send(envelope(order("a"), connection: "conn-2"), over: other).accepted != nil)
            await door.runner.drain()
            #expect(try await door.send(body, over: link) == .duplicate(id))
            #expect(try await door.count("SELECT count(*) FROM inbox") == 4)
        }
    }

    @Test("Many copies of one event at once make one entry", arguments: TestEngine.allCases)
    func burst(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let answers = try await withThrowingTaskGroup(of: Intake.Answer.self) { group in
                for number in 0..<60 {
                    group.addTask { try await door.send(envelope(order("o\(number % 3)")), over: link) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let accepted = answers.compactMap(\.accepted)
            #expect(accepted.count == 3)
            for answer in answers {
                if case .duplicate(let id) = answer { #expect(accepted.contains(id)) }
            }
            await door.runner.drain()
            #expect(try await door.orders().count == 3)
        }
    }

    @Test("Events that nothing follows from are kept and marked", arguments: TestEngine.allCases)
    func ignored(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let body = envelope("null", event: "commerce.inventory.updated")
            let id = try #require(try await door.send(body, over: link).accepted)
            await door.runner.drain()
            let entry = try #require(try await door.log(link).first)
            #expect(entry.id == id && entry.state == "ignored" && entry.event == "commerce.inventory.updated")
            #expect(entry.reason == "no workflow handles this event" && entry.body == Array(body.utf8))
            await #expect(throws: Refusal.conflict("The entry is of a kind that nothing follows from.")) {
                try await door.inbox.retry(id, of: link.id, scope: Door.scope)
            }
            #expect(try await door.count("SELECT count(*) FROM workflow") == 0)
        }
    }

    // MARK: The stores' own doors

    @Test("A store's own door knows only its provider's connections", arguments: TestEngine.allCases)
    func native(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let shop = try await door.connect("shop", provider: "woocommerce")
            let gateway = try await door.connect("conn-1")
            let body = #"{"id":1,"currency":"USD","line_items":[]}"#
            func send(_ id: ConnectionID, _ secret: Secret) async throws -> Intake.Answer {
                try await door.sendNative(body, topic: "order.created", to: id, secret: secret)
            }
            #expect(try await send(shop.id, shop.secret).accepted != nil)
            #expect(await refusal { try await send(shop.id, gateway.secret) } == Self.unauthenticated)
            #expect(await refusal { try await send(shop.id, Door.gatewaySecret) } == Self.unauthenticated)
            #expect(await refusal { try await send(gateway.id, gateway.secret) } == Self.unauthenticated)
            #expect(
                await refusal { try await send(ConnectionID(high: 1, low: 1), shop.secret) } == Self.unauthenticated)
            for provider in ["unified", "shopify", "nobody"] {
                let found = await refusal {
                    try await door.intake.accept(
                        at: .native(provider: provider, connection: shop.id), body: [], headers: [:])
                }
                #expect(found == Refusal.notFound("provider"))
            }
            _ = try await door.connections.setStatus(.paused, of: shop.id, scope: Door.scope)
            #expect(await refusal { try await send(shop.id, shop.secret) } == Self.inactive)
        }
    }

    @Test("A store's greeting is answered and nothing is stored", arguments: TestEngine.allCases)
    func greeting(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect("shop", provider: "woocommerce")
            let ping = try Recording("woocommerce", "hook-ping")
            let answer = try await door.intake.accept(
                at: .native(provider: "woocommerce", connection: link.id), body: Array(ping.body.utf8), headers: [:])
            #expect(answer == .greeting)
            #expect(try await door.count("SELECT count(*) FROM inbox") == 0)
        }
    }

    @Test("A platform without a connector of its own comes through the gateway's door", arguments: TestEngine.allCases)
    func platform(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect("conn-1", provider: "shopify")
            #expect(try await door.send(envelope(order("a")), over: link).accepted != nil)
            await door.runner.drain()
            let order = try #require(try await door.orders().first)
            #expect(order.channel == "shopify" && order.sourcePlatform == "shopify" && order.externalID == "a")
        }
    }
}
