import Commerce
import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Integrations

@Suite("A customer who asks to be forgotten")
struct CustomerErasureTests {
    private static let traces = ["ada@example.com", "Lovelace", "buyer-815"]

    @Test(
        "Nothing in any table tells of the buyer, and what the store tells again does not either",
        arguments: TestEngine.allCases)
    func forgotten(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            for body in [Self.order(at: 1), Self.order(at: 9, status: "VOIDED"), Self.order(at: 5)] {
                _ = try await door.send(body, over: link)
                await door.runner.drain()
            }
            #expect(try await door.log(link).map(\.state) == ["stale", "processed", "processed"])
            let order = try #require(try await door.orders().first)
            let buyer = try #require(order.customerID)
            let note = try request(#"{"note":"Lovelace rang."}"#) { OrderEdit($0, in: .usd) }
            _ = try await door.orders.edit(order.id, note, scope: Door.scope, actor: Door.actor)
            for trace in Self.traces { #expect(try await !holders(of: trace, door, engine).isEmpty, "\(trace)") }

            let erasure = ErasureService(database: door.database, time: door.time.source)
            _ = try await erasure.erase(customer: buyer, scope: Door.scope)
            for trace in Self.traces {
                let holders = try await holders(of: trace, door, engine)
                #expect(holders.isEmpty, "\(trace) is still in \(holders)")
            }
            #expect(try await door.orders().first?.total == order.total)

            _ = try await door.send(Self.order(at: 20, status: "PAID"), over: link)
            await door.runner.drain()
            let told = try #require(try await door.orders().first)
            #expect(told.status != order.status && told.customer == OrderSnapshot.Customer())
            #expect(try await holders(of: "Lovelace", door, engine) == ["inbox"])
            _ = try await erasure.erase(customer: buyer, scope: Door.scope)
            #expect(try await holders(of: "Lovelace", door, engine).isEmpty)
            await #expect(throws: Refusal.notFound("customer")) {
                _ = try await erasure.erase(customer: buyer, scope: Door.stranger)
            }
        }
    }

    private static func order(at second: Int, status: String = "PAID") -> String {
        let time = "2025-01-01T00:00:\(second < 10 ? "0" : "")\(second)Z"
        return envelope(
            """
            {"id":"a","currency":"USD","status":"\(status)","updated_at":"\(time)",\
            "customer":{"id":"buyer-815","name":"Ada Lovelace","email":"ada@example.com"},\
            "line_items":[{"sku":"A","name":"Shirt","quantity":2,"unit_amount":74.99}]}
            """)
    }

    /// The tables with a row that has the text in any of its columns, as text or as bytes.
    private func holders(of text: String, _ door: Door, _ engine: TestEngine) async throws -> [String] {
        try await door.database.read { transaction in
            try tables(engine, in: transaction).filter { table in
                let statement = try Statement(composed: search(table, engine, in: transaction))
                return try transaction.first(statement, [.text(text)]) { $0.int(0) } != 0
            }
        }
    }

    private func tables(_ engine: TestEngine, in transaction: any Transaction) throws -> [String] {
        let statement: Statement =
            switch engine {
            case .sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            case .postgres:
                """
                SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()
                    AND table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition) ORDER BY 1
                """
            }
        return try transaction.all(statement) { $0.text(0) }
    }

    private func search(_ table: String, _ engine: TestEngine, in transaction: any Transaction) throws -> String {
        switch engine {
        case .sqlite:
            let columns = try transaction.all(
                Statement(composed: "SELECT name FROM pragma_table_info('\(table)')")
            ) { $0.text(0) }
            let conditions = columns.map { "instr(CAST(\"\($0)\" AS TEXT), $1) > 0" }
            return "SELECT count(*) FROM \"\(table)\" WHERE \(conditions.joined(separator: " OR "))"
        case .postgres:
            return """
                SELECT count(*) FROM "\(table)" t WHERE position($1 IN CAST(t AS TEXT)) > 0
                    OR position(encode(convert_to($1, 'UTF8'), 'hex') IN CAST(t AS TEXT)) > 0
                """
        }
    }
}
