import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

@Suite("Customers")
struct CustomerTests {
    private func create(
        _ shop: Shop, _ body: String, scope: Scope = Shop.scope
    ) async throws -> CustomerService.Saved {
        try await shop.customers.create(request(body) { NewCustomer($0) }, scope: scope, actor: Shop.actor)
    }

    private func change(
        _ shop: Shop, _ id: CustomerID, _ body: String, _ match: VersionMatch = .any
    ) async throws -> CustomerService.Saved {
        try await shop.customers.change(id, request(body) { CustomerChange($0) }, ifMatch: match, scope: Shop.scope)
    }

    @Test("A customer comes back as saved; events tell nothing personal", arguments: TestEngine.allCases)
    func fields(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let saved = try await create(
                shop,
                """
                {"type":"individual","first_name":"Ann","last_name":"Guest","email":" Ann@Example.test ",
                 "phone":"+1 202 555 0143","notes":"call before noon","lifetime_value":120.5,"lifetime_currency":"USD",
                 "tags":["vip"],
                 "addresses":[{"type":"shipping","line1":"1 Harbour St","city":"Portsmouth","country":"GB"}]}
                """)
            #expect(saved.customer.email == "Ann@Example.test" && saved.customer.lifetimeValue == usd(12050))
            #expect(try await shop.customers.require(saved.customer.id, scope: Shop.scope).customer == saved.customer)
            let changed = try await change(
                shop, saved.customer.id, #"{"notes":null,"tags":null,"lifetime_value":7}"#, .oneOf([1])
            ).customer
            #expect(changed.notes == nil && changed.lifetimeValue == usd(700) && changed.version == 2)
            #expect(try CustomerDetails(kept: changed.keptDetails).addresses.first?.country == "GB")
            let stale = await #expect(throws: Refusal.self) {
                _ = try await change(shop, changed.id, "{}", .oneOf([1]))
            }
            #expect(stale?.kind == .stale)
            let told = try await shop.database.read { transaction in
                try transaction.all("SELECT payload, withheld FROM event") { row in
                    String(decoding: row.bytes(0) + (row.bytesOrNil(1) ?? []), as: UTF8.self)
                }
            }
            #expect(told.count == 1)
            for secret in ["Ann", "Guest", "example", "555", "noon", "120", "Harbour"] {
                #expect(told.allSatisfy { !$0.contains(secret) })
            }
        }
    }

    struct Bad: Sendable {
        let body: String
        let pointers: [String]

        init(_ body: String, _ pointers: String...) {
            self.body = body
            self.pointers = pointers
        }
    }

    @Test(
        "Bad input is refused with each fault at its place",
        arguments: [
            Bad(#"{}"#, "/type", "/email"),
            Bad(#"{"type":"business","email":"a@b"}"#, "/company_name"),
            Bad(#"{"type":"person","first_name":"A"}"#, "/type"),
            Bad(#"{"type":"individual","email":"a b@c"}"#, "/email"),
            Bad(#"{"type":"individual","email":"a@b@c","phone":"call me"}"#, "/email", "/phone"),
            Bad(#"{"type":"individual","first_name":5,"nick":"x"}"#, "/first_name", "/nick"),
            Bad(
                #"{"type":"individual","first_name":"A","addresses":[{"country":"UK"},{"city":"X"}]}"#,
                "/addresses/0/country", "/addresses/1/country"),
            Bad(
                #"{"type":"individual","first_name":"A","lifetime_value":1,"lifetime_currency":"XXX"}"#,
                "/lifetime_currency"),
            Bad(#"{"type":"individual","first_name":"A","status":"gone"}"#, "/status"),
        ])
    func faults(_ bad: Bad) {
        let error = #expect(throws: InvalidDocument.self) { _ = try request(bad.body) { NewCustomer($0) } }
        #expect(Set(error?.faults.map(\.pointer) ?? []) == Set(bad.pointers))
    }

    @Test("An amount keeps to its currency", arguments: TestEngine.allCases)
    func amounts(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let id = try await create(shop, #"{"type":"individual","first_name":"A"}"#).customer.id
            let missing = InvalidDocument(pointer: "/lifetime_currency", detail: "is required beside an amount")
            await #expect(throws: missing) { _ = try await change(shop, id, #"{"lifetime_value":1}"#) }
            await #expect(throws: InvalidDocument.self) {
                _ = try await change(shop, id, #"{"lifetime_value":1.5,"lifetime_currency":"JPY"}"#)
            }
        }
    }

    @Test("Status and assignment change by moves of their own, with events", arguments: TestEngine.allCases)
    func moves(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let id = try await create(shop, #"{"type":"business","company_name":"Acme"}"#).customer.id
            func move(_ status: Customer.Status) async throws -> Customer {
                try await shop.customers.move(id, to: status, scope: Shop.scope, actor: Shop.actor).customer
            }
            #expect(try await move(.atRisk).status == .atRisk)
            #expect(try await move(.churned).status == .churned)
            let refusal = await #expect(throws: Refusal.self) { _ = try await move(.atRisk) }
            #expect(refusal?.fields == [Refusal.Field("allowed", .array([.string("active"), .string("suspended")]))])
            let user = UserID(high: 5, low: 5)
            func assign(_ body: String) async throws -> Customer {
                try await shop.customers.assign(
                    id, request(body) { CustomerAssignment($0) }, scope: Shop.scope, actor: Shop.actor
                ).customer
            }
            #expect(try await assign(#"{"user_id":"\#(user)"}"#).assignedTo == user)
            #expect(try await assign(#"{"user_id":"\#(user)"}"#).version == 4)
            #expect(try await assign(#"{"user_id":null}"#).assignedTo == nil)
            #expect(throws: InvalidDocument.self) { _ = try request("{}") { CustomerAssignment($0) } }
            let told = try await shop.events()
            #expect(
                told.map(\.type)
                    == ["created", "status_changed", "status_changed", "assigned", "assigned"].map { "customer.\($0)" })
            #expect(told[1].payload["old_status"] == .string("active"))
            #expect(told[4].payload["previously_assigned_to"] == .string(user.description))
        }
    }

    @Test("Names are found by their beginning also where the database sorts as a language does")
    func languages() async throws {
        let time = ManualTime()
        try await withDatabase(.postgres, time: time, language: "en-US") { database in
            let shop = try Shop(database, time: time)
            var made: [CustomerID] = []
            for name in ["Cafe", "Caf\u{E9}", "Cafes", "Caf\u{E9}s", "Zo\u{EB}"] {
                let body = #"{"type":"individual","first_name":"\#(name)"}"#
                made.append(try await create(shop, body).customer.id)
            }
            var query = CustomerQuery(limit: 10)
            query.text = "cafe*"
            #expect(try await shop.customers.list(query, scope: Shop.scope).map(\.id) == [made[0], made[2]])
            query.text = "caf*"
            #expect(try await shop.customers.list(query, scope: Shop.scope).map(\.id) == Array(made[..<4]))
        }
    }

    @Test(
        "Duplicates by e-mail are told and not merged; lists find by words and fields", arguments: TestEngine.allCases)
    func finding(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let ann = try await create(
                shop, #"{"type":"individual","first_name":"Ann","last_name":"Lee","email":"a@x.test"}"#)
            let other = try await create(shop, #"{"type":"individual","first_name":"Anna","email":"A@X.test"}"#)
            let acme = try await create(shop, #"{"type":"business","company_name":"Acme Lee Ltd","status":"inactive"}"#)
            _ = try await create(
                shop, #"{"type":"individual","first_name":"Ann","email":"a@x.test"}"#, scope: Shop.sister)
            #expect(ann.duplicates.isEmpty && other.duplicates == [ann.customer.id])
            #expect(
                try await shop.customers.require(ann.customer.id, scope: Shop.scope).duplicates == [other.customer.id])
            func found(_ set: (inout CustomerQuery) -> Void) async throws -> [CustomerID] {
                var query = CustomerQuery(limit: 10)
                set(&query)
                return try await shop.customers.list(query, scope: Shop.scope).map(\.id)
            }
            let (a, b, c) = (ann.customer.id, other.customer.id, acme.customer.id)
            #expect(try await found { $0.text = "lee" } == [a, c])
            #expect(try await found { $0.text = "ann*" } == [a, b])
            #expect(try await found { $0.text = "lee ann*" } == [a])
            #expect(try await found { $0.text = "lee acme" } == [c])
            #expect(try await found { $0.email = "A@x.TEST" } == [a, b])
            #expect(try await found { $0.status = .inactive } == [c])
            #expect(try await found { $0.kind = .individual } == [a, b])
            #expect(try await found { ($0.text, $0.after) = ("lee", a) } == [c])
            try await shop.customers.delete(b, scope: Shop.scope)
            #expect(try await found { $0.text = "ann*" } == [a])
            #expect(try await shop.customers.require(a, scope: Shop.scope).duplicates.isEmpty)
            for scope in [Shop.sister, Shop.stranger] {
                await #expect(throws: Refusal.notFound("customer")) {
                    _ = try await shop.customers.require(a, scope: scope)
                }
            }
        }
    }

    @Test(
        "Buyers are linked by id, then by e-mail, else made; guests without one stay none",
        arguments: TestEngine.allCases)
    func linking(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let ann = try await create(shop, #"{"type":"individual","first_name":"Ann","email":"ann@x.test"}"#).customer
            let linker = CustomerLinker(ids: shop.ids)
            func link(_ buyers: [(id: String?, email: String?)]) async throws -> [CustomerID?] {
                let buyers = buyers.map { buyer in
                    CustomerLinker.Buyer(
                        scope: Shop.scope, connection: Shop.connection, externalID: buyer.id, name: "Bo van Dyk",
                        email: buyer.email)
                }
                return try await shop.publisher.write {
                    try linker.link(buyers, CustomerLinker.ask(for: buyers, in: $0), events: $1, in: $0)
                }
            }
            let first = try await link([
                ("7", "ANN@x.test"), (nil, "bo@x.test"), ("8", "bo@x.test"), (nil, nil), ("9", nil),
                (nil, "no address"),
            ])
            let bo = try #require(first[1])
            #expect(first[0] == ann.id && first[2] == bo && first[3] == nil && first[5] == nil)
            let made = try await shop.customers.require(bo, scope: Shop.scope).customer
            #expect(made.firstName == "Bo van" && made.lastName == "Dyk")
            #expect(made.references == [Customer.Reference(connection: Shop.connection, externalID: "8")])
            let before = shop.database.statementCount
            // By the id, whatever the address is now.
            #expect(try await link([("7", "new@x.test"), ("8", nil), ("9", nil)]) == [ann.id, bo, first[4]])
            #expect(shop.database.statementCount - before <= 2)
            #expect(try await shop.eventTypes().count { $0 == "customer.created" } == 3)
        }
    }

    @Test("What is erased is gone from the customer and its orders, and stays so", arguments: TestEngine.allCases)
    func erasure(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let ann = try await create(
                shop, #"{"type":"individual","first_name":"Ann","email":"Ann@example.test","notes":"n","tags":["t"]}"#
            ).customer
            try await shop.take([snapshot("linked"), snapshot("unlinked")])
            #expect(try await shop.order("linked").customerID == ann.id)
            try await shop.database.write { transaction in
                try transaction.execute(
                    "UPDATE sales_order SET customer_id = NULL WHERE external_id = 'unlinked'")
            }
            let erased = try await erase(ann.id, shop)
            #expect(
                erased.erasedAt != nil && erased.email == nil && erased.firstName == nil && erased.keptDetails == nil)
            for order in try await shop.stored().values {
                #expect(order.customer == OrderSnapshot.Customer())
            }
            await #expect(throws: Refusal.self) { _ = try await change(shop, ann.id, #"{"first_name":"Ann"}"#) }
            #expect(try await shop.count("SELECT count(*) FROM customer_word") == 0)
            await #expect(throws: Refusal.notFound("customer")) {
                _ = try await erase(ann.id, shop, scope: Shop.stranger)
            }
            try await shop.take([snapshot("linked", at: 9)])
            #expect(try await shop.order("linked").customer == OrderSnapshot.Customer())
            #expect(try await shop.order("linked").customerID == ann.id)
            #expect(try await shop.count("SELECT count(*) FROM customer") == 1)
        }
    }

    /// Erases a customer the way its workflow does, an order in a transaction.
    private func erase(_ id: CustomerID, _ shop: Shop, scope: Scope = Shop.scope) async throws -> Customer {
        let now = shop.time.now
        let erased = try await shop.database.write { transaction in
            try CustomerErasure.begin(id, scope: scope, at: now, in: transaction)
        }
        var last: OrderID? = .zero
        while let after = last {
            last = try await shop.database.write { transaction in
                try CustomerErasure.emptyOrders(
                    of: id, scope: scope, after: after, limit: 1, at: now, in: transaction
                ).last
            }
        }
        try await shop.database.write { try CustomerErasure.close(id, in: $0) }
        return erased
    }
}
