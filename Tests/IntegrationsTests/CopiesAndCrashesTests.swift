import Commerce
import Durable
import Events
import Kernel
import Signing
import Storage
import TestSupport
import Testing

@testable import Integrations

@Suite("Copies of the server, and the loss of one")
struct CopiesAndCrashesTests {
    @Test(
        "What a copy had taken in and not imported is imported by another after the lease",
        arguments: TestEngine.allCases)
    func abandoned(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            for number in 0..<100 { _ = try await door.send(envelope(order("o\(number)")), over: link) }
            // The first copy's runner never runs again. The second finds nothing due before the leases end.
            let second = try Door(door.database, time: door.time, seed: 2)
            await second.runner.drain()
            #expect(try await door.orders().isEmpty)
            door.time.advance(by: .seconds(61))
            await second.runner.drain()
            #expect(try await door.orders().count == 100)
            // The first was only slow: it finds that nothing is its own any more, and makes nothing twice.
            await door.runner.drain()
            #expect(try await door.orders().allSatisfy { $0.version == 1 })
            #expect(try await door.eventTypes() == Array(repeating: "order.created", count: 100))
            #expect(try await door.log(link).allSatisfy { $0.state == "processed" })
        }
    }

    @Test("A store that was closed in between goes on with what it had taken in", arguments: TestEngine.allCases)
    func restart(_ engine: TestEngine) async throws {
        let time = ManualTime()
        try await withStore(engine, time: time) { store in
            let before = try store.open()
            _ = try await before.migrate(time: time.source)
            let first = try Door(before, time: time)
            let link = try await first.connect()
            let id = try #require(try await first.send(envelope(order("a")), over: link).accepted)
            await before.shutdown()
            time.advance(by: .seconds(61))
            let after = try store.open()
            let second = try Door(after, time: time, seed: 2)
            #expect(try await second.send(envelope(order("a")), over: link) == .duplicate(id))
            await second.runner.drain()
            #expect(try await second.eventTypes() == ["order.created"])
            await after.shutdown()
        }
    }

    @Test("A store that can't commit refuses as unavailable and keeps no half of it", arguments: TestEngine.allCases)
    func unavailable(_ engine: TestEngine) async throws {
        let time = ManualTime()
        try await withStore(engine, time: time) { store in
            let before = try store.open()
            _ = try await before.migrate(time: time.source)
            let first = try Door(before, time: time)
            let link = try await first.connect()
            _ = try await first.send(envelope(order("a")), over: link)
            await before.shutdown()
            let error = await #expect(throws: StorageError.self) {
                _ = try await first.send(envelope(order("b")), over: link)
            }
            #expect(error?.code == .unavailable)
            #expect(first.intake.waitingCount == 0 && first.runner.backlog == 1)
            let after = try store.open()
            let second = try Door(after, time: time, seed: 2)
            let keys: Statement =
                engine == .sqlite ? "SELECT count(*) FROM inbox_arrival" : "SELECT count(*) FROM inbox_key"
            for statement: Statement in [
                "SELECT count(*) FROM inbox", keys, "SELECT count(*) FROM workflow",
            ] {
                #expect(try await second.count(statement) == 1)
            }
            #expect(try await second.send(envelope(order("b")), over: link).accepted != nil)
            await after.shutdown()
        }
    }

    @Test(
        "Two copies that import one connection's updates at once agree in the end", arguments: TestEngine.allCases,
        0..<3)
    func concurrent(_ engine: TestEngine, _ round: Int) async throws {
        try await withDoor(engine, batchLimit: 8) { first in
            let second = try Door(first.database, time: first.time, seed: 2, batchLimit: 8)
            let link = try await first.connect()
            var random = SeededRandom(seed: UInt64(round))
            var deliveries = (0..<10).flatMap { number in
                (1...6).map { step in (number: number, step: step) }
            }
            deliveries.shuffle(using: &random)
            for (place, delivery) in deliveries.enumerated() {
                let states = ["OPEN", "AUTHORIZED", "PAID", "processing", "completed", "VOIDED"]
                let body = order("o\(delivery.number)", at: delivery.step, status: states[delivery.step - 1])
                _ = try await (place % 2 == 0 ? first : second).send(envelope(body), over: link)
            }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await first.runner.drain() }
                group.addTask { await second.runner.drain() }
            }
            let orders = try await first.orders()
            #expect(orders.count == 10)
            #expect(orders.allSatisfy { $0.status == .cancelled && $0.lines.count == 1 })
            #expect(Set(try await first.log(link).map(\.state)).isSubset(of: ["processed", "stale"]))
            let events = try await first.eventTypes()
            #expect(events.count { $0 == "order.created" } == 10)
            #expect(orders.reduce(0) { $0 + $1.version } == Int64(events.count))
        }
    }

    @Test("Two copies that both see an order first make one of it", arguments: [TestEngine.postgres], 0..<5)
    func bothFirst(_ engine: TestEngine, _: Int) async throws {
        try await withStore(engine, time: ManualTime()) { store in
            let time = ManualTime()
            let (one, other) = (try store.open(), try store.open())
            _ = try await one.migrate(time: time.source)
            let (first, second) = (try Door(one, time: time), try Door(other, time: time, seed: 2))
            let link = try await first.connect()
            _ = try await first.send(envelope(order("a", at: 1)), over: link)
            _ = try await second.send(envelope(order("a", at: 2)), over: link)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await first.runner.drain() }
                group.addTask { await second.runner.drain() }
            }
            #expect(try await first.count("SELECT count(*) FROM workflow WHERE state = 'pending'") == 0)
            #expect(try await first.eventTypes().count { $0 == "order.created" } == 1)
            await one.shutdown()
            await other.shutdown()
        }
    }

    @Test(
        "A connection that is paused while it is looked up is not remembered as active", arguments: TestEngine.allCases)
    func directory(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let slow = SlowReads(door.database)
            let late = try Door(slow, time: door.time, seed: 2)
            // The look-up has read the active connection when another request pauses it, and ends only afterwards.
            slow.holdNextRead()
            async let answer = late.send(envelope(order("a")), over: link)
            await slow.reached()
            _ = try await late.connections.setStatus(.paused, of: link.id, scope: Door.scope)
            slow.release()
            #expect(try await answer.accepted != nil)
            await #expect(throws: Refusal(.forbidden, "The connection is not active.")) {
                _ = try await late.send(envelope(order("b")), over: link)
            }
        }
    }

    @Test("A connection that nobody knows yet is asked for once", arguments: TestEngine.allCases)
    func herd(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let slow = SlowReads(door.database)
            let directory = ConnectionDirectory(database: slow, secrets: door.secrets, time: door.time.source)
            let before = door.database.statementCount
            slow.holdNextRead()
            try await withThrowingTaskGroup { group in
                for _ in 0..<200 { group.addTask { try await directory.entry(.id(link.id))?.connection.id } }
                await slow.reached()
                slow.release()
                for try await id in group { #expect(id == link.id) }
            }
            #expect(door.database.statementCount - before == 3)
        }
    }

    @Test("A change by another copy is seen after two seconds at the latest", arguments: TestEngine.allCases)
    func elsewhere(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let slow = SlowReads(door.database)
            let directory = ConnectionDirectory(database: slow, secrets: door.secrets, time: door.time.source)
            func status() async throws -> Connection.Status? {
                try await directory.entry(.id(link.id))?.connection.status
            }
            #expect(try await status() == .active)
            _ = try await door.connections.setStatus(.paused, of: link.id, scope: Door.scope)
            door.time.advance(by: .milliseconds(1500))
            slow.holdNextRead()
            async let renewed = status()
            await slow.reached()
            #expect(try await status() == .active, "what is known holds while one asks")
            door.time.advance(by: .milliseconds(500))
            async let late = status()
            slow.release()
            let found = try await [renewed, late]
            #expect(found == [.paused, .paused])
        }
    }
}
