import Commerce
import Connectors
import Events
import Kernel
import Signing
import Storage
import TestSupport
import Testing

@testable import Integrations

@Suite("Connections and their secrets")
struct ConnectionServiceTests {
    private static let taken = Refusal.conflict("The connection_id belongs to another connection already.")
    private static let unauthenticated = Refusal(.unauthenticated, "The signature is missing or does not match.")

    /// Each delivery must differ, or it would be known already.
    private func works(_ door: Door, _ secret: Secret, _ number: Int) async throws -> Bool {
        do {
            _ = try await door.send(envelope(order("o\(number)")), secret: secret)
            return true
        } catch let refusal as Refusal {
            #expect(refusal == Self.unauthenticated)
            return false
        }
    }

    @Test("A connection_id belongs to one organisation and one provider", arguments: TestEngine.allCases)
    func taken(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            for scope in [Door.sister, Door.stranger] {
                await #expect(throws: Self.taken) { _ = try await door.connect(scope: scope) }
            }
            await #expect(throws: Self.taken) { _ = try await door.connect(provider: "amazon") }
            let again = try await door.connect()
            #expect(again.id == link.id && again.secret != link.secret)
            #expect(try await door.connections.list(scope: Door.stranger, onlyActive: false).isEmpty)
        }
    }

    @Test(
        "Two callers at once: one has the connection, the other a conflict or the same", arguments: TestEngine.allCases,
        0..<5)
    func race(_ engine: TestEngine, _: Int) async throws {
        try await withDoor(engine) { (door: Door) async throws -> Void in
            let results = await withTaskGroup(of: Result<Link, any Error>.self) { group in
                for scope in [Door.scope, Door.stranger] {
                    group.addTask {
                        do { return .success(try await door.connect(scope: scope)) } catch { return .failure(error) }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let refusals = results.compactMap { result -> Refusal? in
                if case .failure(let error) = result { error as? Refusal } else { nil }
            }
            #expect(refusals == [Self.taken])
            #expect(try await door.count("SELECT count(*) FROM connection") == 1)
        }
    }

    @Test(
        "A connection that is saved again is active, and the secret before is good for a day",
        arguments: TestEngine.allCases)
    func again(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let first = try await door.connect()
            _ = try await door.connections.setStatus(.disconnected, of: first.id, scope: Door.scope)
            let second = try await door.connect()
            #expect(second.connection.status == .active)
            #expect(try await works(door, first.secret, 1))
            #expect(try await works(door, second.secret, 2))
            door.time.advance(by: .seconds(86_399))
            #expect(try await works(door, first.secret, 3))
            door.time.advance(by: .seconds(3))
            #expect(try await works(door, first.secret, 4) == false)
            #expect(try await works(door, second.secret, 5))
        }
    }

    @Test(
        "It is paused and resumed; once disconnected it only comes back by being saved", arguments: TestEngine.allCases)
    func status(_ engine: TestEngine) async throws {
        try await withDoor(engine) { (door: Door) async throws -> Void in
            let id = try await door.connect().id
            func set(_ status: Connection.Status, _ scope: Scope = Door.scope) async throws -> Connection.Status {
                try await door.connections.setStatus(status, of: id, scope: scope).status
            }
            #expect(try await set(.paused) == .paused)
            #expect(try await door.connections.list(scope: Door.scope, onlyActive: true).isEmpty)
            #expect(try await door.connections.list(scope: Door.scope, onlyActive: false).map(\.id) == [id])
            #expect(try await set(.active) == .active)
            #expect(try await set(.disconnected) == .disconnected)
            #expect(try await set(.disconnected) == .disconnected)
            for status in [Connection.Status.active, .paused] {
                await #expect(throws: Refusal.conflict("The connection is disconnected; connect it again instead.")) {
                    _ = try await set(status)
                }
            }
            for scope in [Door.sister, Door.stranger] {
                await #expect(throws: Refusal.notFound("connection")) { _ = try await set(.paused, scope) }
                await #expect(throws: Refusal.notFound("connection")) {
                    _ = try await door.connections.require(id, scope: scope)
                }
            }
        }
    }

    // MARK: Secrets

    @Test(
        "The secret before is good to the end of the overlap, and never more than two are",
        arguments: TestEngine.allCases)
    func rotation(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let second = try await door.rotate(link.id, overlapHours: 2)
            #expect(try await works(door, link.secret, 1))
            #expect(try await works(door, second, 2))
            let third = try await door.rotate(link.id, overlapHours: 1)
            #expect(try await works(door, link.secret, 3) == false)
            #expect(try await works(door, second, 4))
            #expect(try await works(door, third, 5))
            door.time.advance(by: .seconds(3599))
            #expect(try await works(door, second, 6))
            door.time.advance(by: .seconds(3))
            #expect(try await works(door, second, 7) == false)
            #expect(try await works(door, third, 8))
            let fourth = try await door.rotate(link.id, overlapHours: 0)
            #expect(try await works(door, third, 9) == false)
            #expect(try await works(door, fourth, 10))
        }
    }

    @Test("The workspace's secret signs for its own connections and for no other's", arguments: TestEngine.allCases)
    func workspace(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            _ = try await door.connect("conn-2", scope: Door.sister)
            let secret = try await door.rotate(nil, secret: "a-secret-brought-along")
            #expect(secret == Secret("a-secret-brought-along"))
            #expect(try await works(door, secret, 1))
            #expect(try await works(door, link.secret, 2))
            await #expect(throws: Self.unauthenticated) {
                _ = try await door.send(envelope(order("a"), connection: "conn-2"), secret: secret)
            }
            let next = try await door.rotate(nil, overlapHours: 0)
            #expect(try await works(door, secret, 3) == false)
            #expect(try await works(door, next, 4))
        }
    }

    @Test("Secrets are sealed where they are kept", arguments: TestEngine.allCases)
    func sealed(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let brought = try await door.rotate(link.id, secret: "a-secret-brought-along")
            let rows = try await door.database.read { try $0.all("SELECT sealed FROM inbound_secret") { $0.bytes(0) } }
            #expect(rows.count == 2)
            for secret in [link.secret, brought] {
                let plain = secret.reveal(for: "looking for it in the store")
                #expect(rows.allSatisfy { $0.firstRange(of: plain) == nil && SecretBox.keyID(of: $0) != nil })
            }
            #expect(link.secret.count == 40)
        }
    }

    @Test("A connection of other owners has no secret to rotate", arguments: TestEngine.allCases)
    func foreignSecret(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let foreign = try await door.connect("conn-2", scope: Door.sister)
            await #expect(throws: Refusal.notFound("connection")) { _ = try await door.rotate(foreign.id) }
        }
    }

    // MARK: Bodies

    @Test(
        "A body is refused with each fault at its place",
        arguments: [
            ("{}", ["/connection_id: is required", "/provider: is required"]),
            (
                #"{"connection_id":"c","provider":"ebay"}"#,
                ["/provider: must be one of unified, shopify, woocommerce, amazon"]
            ),
            (
                #"{"connection_id":"c","provider":"unified","category":"x"}"#,
                ["/category: must be one of commerce, accounting"]
            ),
        ])
    func bodies(_ body: String, _ faults: [String]) throws {
        let error = #expect(throws: InvalidDocument.self) { _ = try request(body) { ConnectionService.Request($0) } }
        #expect(error?.faults.map { "\($0.pointer): \($0.detail)" } == faults)
    }

    @Test("A secret that is brought has sixteen characters at least, an overlap a week at most")
    func rotationBodies() throws {
        let error = #expect(throws: InvalidDocument.self) {
            _ = try request(#"{"secret":"123456789012345","overlap_hours":169}"#) { ConnectionService.Rotation($0) }
        }
        #expect(error?.faults.count == 2)
        let plain = try request("{}") { ConnectionService.Rotation($0) }
        #expect(plain.overlap == .seconds(86_400) && plain.secret == nil)
    }
}
