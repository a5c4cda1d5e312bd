import HTTPTypes
import Kernel
import Logging
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Server

/// Every statement that the server runs while `tradewind dev` plays its recordings and a caller reads all lists: none
/// may walk a table that grows with the tenants' business.
@Suite struct QueryPlanTests {
    /// Tables that have a row for each thing that happened or is sold. Others stay small: settings, heads, schedules.
    private static let growing: Set<String> = [
        "inbox", "inbox_key", "inbox_arrival", "workflow", "workflow_step", "event", "feed", "feed_pending", "delivery",
        "attempt",
        "sales_order", "order_line", "order_adjustment", "order_tag", "order_note", "order_parcel",
        "order_parcel_line", "inventory_level", "inventory_ledger", "location", "product", "variant", "variant_mapping",
        "subscription",
        "subscription_secret", "connection", "inbound_secret", "api_key", "idempotency", "tenant", "organisation",
    ]

    /// Walks that are meant, each with the reason.
    private static let meant: [(table: String, fragment: String, reason: String)] = [
        ("feed_pending", "DELETE FROM feed_pending", "the queue's head is read in its own order, up to a limit"),
        ("inbox_arrival", "INSERT INTO temp.", "a new process reads what the last one left, of which there is a bound"),
    ]

    /// What a caller reads; `{id}` stands for the first id of the list named before.
    private static let readings: [(list: String, details: [String])] = [
        ("/api/v1/oms/orders", ["/api/v1/oms/orders/{id}"]),
        ("/api/v1/oms/orders?status=processing&channel=woocommerce&since=2020-01-01T00:00:00Z", []),
        ("/api/v1/oms/orders?external_id=1&match_status=full", []), ("/api/v1/oms/orders?search=1", []),
        ("/api/v1/oms/orders?tag=rush&customer=0190a000-0000-7000-8000-000000000009", []),
        ("/api/v1/inventory/locations", ["/api/v1/inventory/locations/{id}"]),
        ("/api/v1/inventory/levels?sku=A&low_stock=true", []), ("/api/v1/inventory/ledger?reason=sale", []),
        ("/api/v1/pim/products", ["/api/v1/pim/products/{id}"]),
        (
            "/api/v1/webhooks/subscriptions",
            ["/api/v1/webhooks/subscriptions/{id}", "/api/v1/webhooks/subscriptions/{id}/deliveries"]
        ),
        (
            "/api/v1/webhooks/events?limit=1000",
            ["/api/v1/webhooks/events?after={id}", "/api/v1/webhooks/events?after={id}&event_type=order.*"]
        ),
        ("/api/v1/webhooks/events?limit=10", ["/api/v1/events/{id}"]),
        ("/api/v1/events?event_type=order.*&since=2020-01-01T00:00:00Z&delivery_state=delivered", []),
        ("/api/v1/events?entity_id=0190a000-0000-7000-8000-000000000001&until=2100-01-01T00:00:00Z", []),
        ("/api/v1/webhooks/replays", []),
        (
            "/api/v1/integrations/connections?status=all",
            ["/api/v1/integrations/connections/{id}", "/api/v1/integrations/connections/{id}/inbox"]
        ),
        ("/api/v1/workflows?state=dead", []),
        ("/api/v1/api-keys", []),
        ("/api/v1/ucp/report", []),
        ("/readyz", []),
    ]

    @Test("No statement walks a table that grows", arguments: TestEngine.allCases)
    func plans(engine: TestEngine) async throws {
        try await withTemporaryFolder { folder in
            try await withDatabase(engine) { database in
                let recorder = StatementRecorder(database)
                try await play(on: recorder, folder: folder)
                // As autovacuum may do at any time: what the server knows of small tables must not matter.
                if engine == .postgres { try await database.write { try $0.execute("ANALYZE") } }
                let recorded = recorder.recorded
                #expect(recorded.count > 60, "the playing itself was cut short")
                for statement in recorded where Self.hasPlan(statement) {
                    let plan = try await database.write { try QueryPlan.ask(for: statement, in: $0) }
                    let walks = plan.scanned(of: Self.growing, dialect: database.dialect).filter { walk in
                        !Self.meant.contains { walk.hasPrefix($0.table) && plan.statement.contains($0.fragment) }
                    }
                    #expect(walks.isEmpty, "\(walks) in \(plan.statement)\n\(plan.lines.joined(separator: "\n"))")
                }
            }
        }
    }

    @Test("A walk is seen where there is one", arguments: TestEngine.allCases)
    func seesWalks(engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            let recorder = StatementRecorder(database)
            try await recorder.write { transaction in
                try transaction.execute("UPDATE delivery SET reason = $1 WHERE reason = $2", [.text("a"), .text("b")])
                try transaction.execute("DELETE FROM delivery WHERE id = $1", [.uuid(high: 1, low: 1)])
            }
            var walks: [String] = []
            for statement in recorder.recorded {
                let plan = try await database.write { try QueryPlan.ask(for: statement, in: $0) }
                walks += plan.scanned(of: Self.growing, dialect: database.dialect).map { _ in plan.statement }
            }
            #expect(walks == ["UPDATE delivery SET reason = $1 WHERE reason = $2"])
        }
    }

    /// Not what makes or drops the days of a table.
    private static func hasPlan(_ recorded: StatementRecorder.Recorded) -> Bool {
        let verb = recorded.statement.text.prefix { $0.isLetter }
        return ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(verb)
    }

    // MARK: Playing

    private func play(on database: StatementRecorder, folder: String) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var settings = try await SettingsReader.read(
            flags: [.dataDirectory: folder, .listen: "127.0.0.1:0"], environment: [:], file: nil)
        settings = DevelopmentSession.developed(settings)
        let server = try ServerBuilder.assemble(settings, database: database, logger: logger)
        let exchange = RunningServer(server).exchange
        let (texts, text) = AsyncStream.makeStream(of: String.self)
        let session = DevelopmentSession(
            settings, output: DevelopmentOutput(isTerminal: false) { text.yield($0) }, logger: logger)
        let serving = Task {
            defer { text.finish() }
            try await session.run(on: server)
        }
        var shown = ""
        for await text in texts {
            shown += text
            if shown.contains("serving; stop with") { break }
        }
        let caller = Caller(exchange: exchange, shown: shown)
        for reading in Self.readings { try await caller.read(reading.list, details: reading.details) }
        serving.cancel()
        _ = await serving.result
    }

    /// Calls the server with the address and the headers that it has printed.
    private struct Caller {
        let exchange: any HTTPExchange
        let shown: String

        func read(_ list: String, details: [String]) async throws {
            let answer = try await get(list)
            if details.isEmpty { return }
            let rows = answer["data"]?.array ?? answer["connections"]?.array
            let id = try #require(rows?.first?["id"]?.string, "\(list) lists nothing")
            for path in details {
                _ = try await get(path.split(separator: "{id}", omittingEmptySubsequences: false).joined(separator: id))
            }
        }

        private func get(_ path: String) async throws -> JSONValue {
            let lines = shown.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
            let address = try #require(lines.first { $0.first == "address" }?.last)
            var request = OutgoingRequest(method: .get, url: address + path, responseLimit: 4 << 20)
            for line in lines where line.first?.hasSuffix(":") == true {
                let name = try #require(line.first?.dropLast())
                request.headers.append(
                    .init(name: try #require(.init(String(name))), value: line.dropFirst().joined(separator: " ")))
            }
            let response = try await exchange.send(request)
            #expect(response.status == 200, "\(path)")
            return try JSONValue(parsing: response.body)
        }
    }
}
