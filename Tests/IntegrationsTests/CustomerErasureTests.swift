import Events
import Kernel
import Logging
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce
@testable import Durable
@testable import Integrations

@Suite("A customer who asks to be forgotten")
struct CustomerErasureTests {
    /// In small letters: they are looked for in any.
    private static let traces = ["ada@example.com", "lovelace", "buyer-815", "engine row"]

    @Test("All events about one order are erased, two in each transaction", arguments: TestEngine.allCases)
    func oneEntity(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let (search, erasures) = (TraceSearch(database: door.database, engine: engine), Erasures(door))
            let link = try await door.connect()
            let told = ["PAID", "PENDING", "PAID", "PENDING", "PAID"]
            for (number, status) in told.enumerated() {
                _ = try await door.send(Self.order(at: number + 1, status: status), over: link)
                await door.runner.drain()
            }
            let order = try #require(try await door.orders().first)
            let entity = DomainEvent.Entity(type: OrderCreated.entityType, id: order.id)
            let stranger = try await erasures.service.erase(entity, scope: Door.stranger)
            #expect(stranger == (0, 0))
            let erased = try await erasures.service.erase(entity, scope: Door.scope)
            #expect(erased == (told.count, told.count))
            for trace in Self.traces { #expect(try await !search.holders(of: trace).contains("inbox"), "\(trace)") }
        }
    }

    @Test(
        "Nothing in any table tells of the buyer, and what the store tells again does not either",
        arguments: TestEngine.allCases)
    func forgotten(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let (search, erasures) = (TraceSearch(database: door.database, engine: engine), Erasures(door))
            let link = try await door.connect()
            for body in [Self.order(at: 1), Self.order(at: 9, status: "VOIDED"), Self.order(at: 5)] {
                _ = try await door.send(body, over: link)
                await door.runner.drain()
            }
            #expect(try await door.log(link).map(\.state) == ["stale", "processed", "processed"])
            let order = try #require(try await door.orders().first)
            let buyer = try #require(order.customerID)
            let note = try request(#"{"note":"LOVELACE rang."}"#) { OrderEdit($0, in: .usd) }
            _ = try await door.orders.edit(order.id, note, scope: Door.scope, actor: Door.actor)
            try await Self.deliverAll(of: door)
            for trace in Self.traces { #expect(try await !search.holders(of: trace).isEmpty, "\(trace)") }
            #expect(try await search.holders(of: "Lovelace").contains("attempt"))

            let erased = try await erasures.service.erase(customer: buyer, scope: Door.scope)
            #expect(erased.customer.email == nil && erased.customer.erasedAt != nil)
            // Imports still find it by its address and its id in the store; nobody else does.
            let shown = try await door.customers("ada@example.com", buyer)
            #expect(shown.found.isEmpty && shown.one.references.isEmpty)
            await erasures.runner.drain()
            for trace in Self.traces {
                let holders = try await search.holders(of: trace)
                #expect(holders.isEmpty, "\(trace) is still in \(holders)")
            }
            #expect(try await door.orders().first?.total == order.total)

            _ = try await door.send(Self.order(at: 20, status: "PAID"), over: link)
            await door.runner.drain()
            let told = try #require(try await door.orders().first)
            #expect(told.status != order.status && told.customer == OrderSnapshot.Customer())
            #expect(try await search.holders(of: "Lovelace") == ["inbox"])
            _ = try await erasures.service.erase(customer: buyer, scope: Door.scope)
            await erasures.runner.drain()
            #expect(try await search.holders(of: "Lovelace").isEmpty)
            await #expect(throws: Refusal.notFound("customer")) {
                _ = try await erasures.service.erase(customer: buyer, scope: Door.stranger)
            }
        }
    }

    @Test("However often it dies between two transactions, all is erased in the end", arguments: TestEngine.allCases)
    func dies(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let (search, erasures) = (TraceSearch(database: door.database, engine: engine), Erasures(door))
            let buyer = try await Self.takeOrders(7, at: door)
            _ = try await erasures.service.erase(customer: buyer, scope: Door.scope)
            // Done so far: the answer's part. The rest is on disk as work to do.
            let waiting = try await search.holders(of: "buyer-815")
            #expect(waiting.contains("sales_order") && waiting.contains("inbox"), "\(waiting)")
            #expect(try await !search.holders(of: "Lovelace").contains("customer"))

            var deaths: [String] = []
            while deaths.count < 100 {
                let claims = try await erasures.claim(number: Int64(deaths.count + 1))
                guard let claim = claims.first else { break }
                let reached = try await erasures.workflow.step(
                    #require(ErasurePosition(claim.input)), of: claim)
                deaths.append(reached.phase.rawValue)
                door.time.advance(by: .seconds(61))
            }
            // Two orders, three events or two deliveries at a time.
            #expect(deaths.count { $0 == "orders" } >= 3 && deaths.count { $0 == "events" } >= 4, "\(deaths)")
            #expect(deaths.contains("inbox") && deaths.last == "done", "\(deaths)")
            for trace in Self.traces {
                let holders = try await search.holders(of: trace)
                #expect(holders.isEmpty, "\(trace) is still in \(holders)")
            }
            let told = try await erasures.progress(of: buyer)
            #expect(told.state == "completed" && told.outcome == "erased")
            let progress = try JSONValue(parsing: #require(told.progress))
            #expect(progress["orders"]?.integer == 7 && progress["inbox_entries"]?.integer == 7, "\(progress)")
            #expect(progress["phase"]?.string == "done" && progress["events"]?.integer == 8, "\(progress)")
        }
    }

    @Test("A copy that was too slow writes nothing over what another did", arguments: TestEngine.allCases)
    func slow(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let erasures = Erasures(door)
            let buyer = try await Self.takeOrders(3, at: door)
            _ = try await erasures.service.erase(customer: buyer, scope: Door.scope)
            let slow = try #require(try await erasures.claim(number: 1).first)
            door.time.advance(by: .seconds(61))
            await erasures.runner.drain()
            await #expect(throws: LostClaim(id: slow.id)) {
                _ = try await erasures.workflow.step(ErasurePosition(), of: slow)
            }
            // Asked again in the middle of it, the one at work gives way too: it begins anew.
            _ = try await erasures.service.erase(customer: buyer, scope: Door.scope)
            let first = try #require(try await erasures.claim(number: 2).first)
            _ = try await erasures.service.erase(customer: buyer, scope: Door.scope)
            await #expect(throws: LostClaim(id: first.id)) {
                _ = try await erasures.workflow.step(ErasurePosition(), of: first)
            }
            await erasures.runner.drain()
            #expect(try await erasures.progress(of: buyer).state == "completed")
        }
    }

    @Test("What the store tells while it goes on is erased too, and what comes later is somebody new's")
    func meanwhile() async throws {
        try await withDoor(.sqlite) { door in
            let (search, erasures) = (TraceSearch(database: door.database, engine: .sqlite), Erasures(door))
            let link = try await door.connect()
            let buyer = try await Self.takeOrders(3, at: door, over: link)
            _ = try await erasures.service.erase(customer: buyer, scope: Door.scope)
            _ = try await door.send(Self.order("o1", at: 30), over: link)
            _ = try await door.send(Self.order("new", at: 30), over: link)
            await door.runner.drain()
            await erasures.runner.drain()
            #expect(try await search.holders(of: "Lovelace").isEmpty)
            #expect(try await door.count("SELECT count(*) FROM customer") == 1)
            _ = try await door.send(Self.order("newest", at: 40), over: link)
            await door.runner.drain()
            #expect(try await door.count("SELECT count(*) FROM customer") == 2)
        }
    }

    // MARK: Parts

    /// Brings in orders of one buyer; returns the customer that it became.
    private static func takeOrders(
        _ count: Int, at door: Door, over link: Link? = nil
    ) async throws -> CustomerID {
        let link = if let link { link } else { try await door.connect() }
        for number in 0..<count {
            _ = try await door.send(order("o\(number)", at: 1), over: link)
            await door.runner.drain()
        }
        return try #require(try await door.orders().first?.customerID)
    }

    private static func order(_ id: String = "a", at second: Int, status: String = "PAID") -> String {
        let time = "2025-01-01T00:00:\(second < 10 ? "0" : "")\(second)Z"
        return envelope(
            """
            {"id":"\(id)","currency":"USD","status":"\(status)","updated_at":"\(time)",\
            "customer":{"id":"buyer-815","name":"Ada Lovelace","email":"Ada@Example.com"},\
            "shipping_address":{"address1":"12 Engine Row","city":"London"},\
            "line_items":[{"sku":"A","name":"Shirt","quantity":2,"unit_amount":74.99}]}
            """)
    }

    /// A receiver has had all events, and said what it had read in them.
    private static func deliverAll(of door: Door) async throws {
        let now = door.time.now
        try await door.database.write { transaction in
            let events = try transaction.all("SELECT id FROM event") { $0.id(0, of: Event.self) }
            for event in events {
                try transaction.execute(
                    """
                    INSERT INTO delivery (id, tenant_id, subscription_id, event_id, state, next_at, claim, attempts,
                        created_at, finished_at)
                    VALUES ($1, $2, $1, $1, 'delivered', $3, 0, 1, $3, $3)
                    """, [.id(event), .id(Door.scope.tenant), .time(now)])
                try transaction.execute(
                    """
                    INSERT INTO attempt (delivery_id, number, tenant_id, started_at, duration_us, status,
                        request_headers, response_headers, response_body)
                    VALUES ($1, 1, $2, $3, 1, 200, $4, $5, $6)
                    """,
                    [
                        .id(event), .id(Door.scope.tenant), .time(now), .bytes(Array("{}".utf8)),
                        .bytes(Array(#"{"x-buyer":"BUYER-815"}"#.utf8)), .bytes(Array("Thanks, ADA LOVELACE".utf8)),
                    ])
            }
        }
    }
}

extension Door {
    /// The customers that are found by an address, and one by its id.
    fileprivate func customers(
        _ email: String, _ id: CustomerID
    ) async throws -> (found: [Customer], one: Customer) {
        try await database.read { transaction in
            var query = CustomerQuery(limit: 10)
            query.email = email
            let found = try query.run(scope: Self.scope, in: transaction)
            let one = try CustomerStore.fetch(id, scope: Self.scope, in: transaction)
            return (found, try #require(one))
        }
    }
}

/// The erasing side of a door, with bounds so small that a few orders take many transactions.
private struct Erasures {
    let service: ErasureService
    let workflow: CustomerErasureWorkflow
    let runner: WorkflowRunner
    private let door: Door

    init(_ door: Door) {
        self.door = door
        let random = SharedRandom(seed: 9)
        workflow = CustomerErasureWorkflow(
            database: door.database, time: door.time.source, bounds: .init(orders: 2, events: 3, entries: 2))
        runner = WorkflowRunner(
            kind: workflow, database: door.database, time: door.time.source, random: random.next,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        service = ErasureService(database: door.database, runner: runner, time: door.time.source, atOnce: 2)
    }

    /// Leases what is due, as a process does that then dies.
    func claim(number: Int64) async throws -> [WorkflowClaim] {
        try await door.database.write { transaction in
            try WorkflowStore.claim(
                kind: CustomerErasureWorkflow.kind, number: number, limit: 1, in: transaction)
        }
    }

    func progress(of customer: CustomerID) async throws -> WorkflowSummary {
        try await WorkflowService(database: door.database, runners: [:], time: door.time.source).require(
            customer.cast(), tenant: Door.scope.tenant, organisation: Door.scope.organisation)
    }
}
