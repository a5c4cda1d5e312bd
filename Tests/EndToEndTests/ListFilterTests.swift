import HTTPTypes
import Kernel
import TestSupport
import Testing

/// The values differ from field to field, so that a filter that reads another one's parameter, or another column, gives
/// other rows.
@Suite("Filters of lists")
struct ListFilterTests {
    private static let productPath = "/api/v1/pim/products"
    private static let customerPath = "/api/v1/crm/customers"
    private static let orderPath = "/api/v1/oms/orders"
    private static let stockPath = "/api/v1/inventory"

    private func make(_ api: Caller, _ path: String, _ body: String) async throws -> String {
        let made = try await api.post(path, body)
        #expect(made.status == 201, "\(path): \(made.text)")
        return try made.text("id")
    }

    /// Each query gives these rows and no others. A filter that the document tells of and none of them has is named.
    private func expect(
        _ cases: [(query: String, ids: [String])], of path: String, _ api: Caller
    ) async throws {
        for (query, ids) in cases {
            let answer = try await api.get("\(path)?\(query)")
            let found = try answer.page().map { try $0.text("id") }
            #expect(found.sorted() == ids.sorted(), "\(path)?\(query): \(answer.text)")
        }
        let operation = try #require(DocumentCheck.shared.operation(.get, path)?.1)
        let parameters = (operation["parameters"]?.array ?? []).filter { $0["in"]?.string == "query" }
        let named = Set(parameters.compactMap { $0["name"]?.string }).subtracting(["limit", "cursor"])
        let tried = Set(cases.map { entry in String(entry.query.prefix { $0 != "=" }) })
        #expect(tried == named, "\(path)")
    }

    /// A query for what is as new as the second row, and the rows that it gives. Two rows may be of one millisecond, so
    /// these follow from the times that the rows tell.
    private func since(
        _ parameter: String, _ member: String, of path: String, _ api: Caller
    ) async throws -> (query: String, ids: [String]) {
        let rows = try await api.get(path).page()
        try #require(rows.count > 2)
        let time = try rows[1].text(member)
        return ("\(parameter)=\(time)", try rows.filter { try $0.text(member) >= time }.map { try $0.text("id") })
    }

    @Test("Products are found by words, codes, state, brand, category and change", arguments: TestEngine.allCases)
    func products(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let place = try await make(api, "/api/v1/pim/categories", #"{"name": "Kitchen"}"#)
            let alpha = try await make(
                api, Self.productPath,
                """
                {"title": "Alpha", "brand": "Acme", "category": "cups", "status": "active",
                 "variants": [{"sku": "S-1", "barcode": "111"}]}
                """)
            let beta = try await make(
                api, Self.productPath,
                """
                {"title": "Beta", "brand": "Bolt", "category": "plates",
                 "variants": [{"sku": "S-2", "barcode": "222"}]}
                """)
            let gamma = try await make(
                api, Self.productPath,
                """
                {"title": "Gamma", "brand": "Acme", "category_id": "\(place)", "status": "inactive",
                 "variants": [{"sku": "S-3", "barcode": "222"}]}
                """)
            let changed = try await since("updated_since", "updated_at", of: Self.productPath, api)
            try await expect(
                [
                    ("q=alpha", [alpha]), ("sku=S-2", [beta]), ("sku=222", []), ("barcode=222", [beta, gamma]),
                    ("status=active", [alpha]), ("status=draft", [beta]), ("brand=Acme", [alpha, gamma]),
                    ("category=plates", [beta]), ("category=\(place)", [gamma]), changed,
                ], of: Self.productPath, api)
        }
    }

    @Test("Customers are found by names, address, kind, state, who has them and change", arguments: TestEngine.allCases)
    func customers(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let ann = try await make(
                api, Self.customerPath, #"{"type": "individual", "first_name": "Ann", "email": "a@example.com"}"#)
            let bolt = try await make(
                api, Self.customerPath, #"{"type": "business", "company_name": "Bolt", "email": "b@example.com"}"#)
            let cid = try await make(
                api, Self.customerPath, #"{"type": "individual", "first_name": "Cid", "status": "at_risk"}"#)
            let assigned = try await api.post(
                "\(Self.customerPath)/\(bolt)/assign", #"{"user_id": "\#(TestServer.tenant)"}"#)
            #expect(assigned.status == 200, "\(assigned.text)")
            let changed = try await since("updated_since", "updated_at", of: Self.customerPath, api)
            try await expect(
                [
                    ("q=ann", [ann]), ("email=B%40example.com", [bolt]), ("type=business", [bolt]),
                    ("type=individual", [ann, cid]), ("status=at_risk", [cid]),
                    ("assigned_to=\(TestServer.tenant)", [bolt]), ("assigned_to=\(TestServer.stranger)", []), changed,
                ], of: Self.customerPath, api)
        }
    }

    @Test("Orders are found by what they are, whose they are and change", arguments: TestEngine.allCases)
    func orders(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            try await shop.makeProduct("Cup", sku: "S-1")
            let ann = try await make(shop.api, Self.customerPath, #"{"type": "individual", "first_name": "Ann"}"#)
            func place(_ key: String, _ sku: String, _ more: String) async throws -> String {
                let line = #"{"sku": "\#(sku)", "quantity": 1, "unit_price": 1}"#
                return try await make(
                    shop.api, Self.orderPath,
                    #"{"idempotency_key": "\#(key)", "currency": "USD", \#(more) "items": [\#(line)]}"#)
            }
            let first = try await place("k-1", "S-1", #""channel": "web", "external_id": "E-1", "tags": ["gift"],"#)
            let second = try await place("k-2", "NOPE", #""channel": "shop", "number": "N-2","#)
            let third = try await place("k-3", "NOPE", #""customer_id": "\#(ann)","#)
            let moved = try await shop.api.post("\(Self.orderPath)/\(second)/transition", #"{"to": "cancelled"}"#)
            #expect(moved.status == 200, "\(moved.text)")
            let changed = try await since("since", "updated_at", of: Self.orderPath, shop.api)
            try await expect(
                [
                    ("status=cancelled", [second]), ("channel=web", [first]), ("match_status=none", [second, third]),
                    ("external_id=E-1", [first]), ("external_id=N-2", []), ("tag=gift", [first]),
                    ("search=N-2", [second]), ("customer=\(ann)", [third]), changed,
                ], of: Self.orderPath, shop.api)
        }
    }

    @Test("Levels and ledger lines are found by variant, place, order, reason and time", arguments: TestEngine.allCases)
    func stock(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let api = shop.api
            func variant(_ sku: String) async throws -> String {
                try #require(try await shop.makeProduct("Cup", sku: sku)["variants"]?.array?.first).text("id")
            }
            let (cup, mug) = (try await variant("S-1"), try await variant("S-2"))
            let main = try await make(api, Self.stockPath + "/locations", #"{"name": "Main"}"#)
            let north = try await make(api, Self.stockPath + "/locations", #"{"name": "North"}"#)
            func adjust(_ variant: String, _ place: String, _ delta: Int, _ reason: String) async throws -> String {
                let body = """
                    {"variant_id": "\(variant)", "location_id": "\(place)", "quantity_delta": \(delta),
                     "reason": "\(reason)"}
                    """
                return try await make(api, Self.stockPath + "/adjust", body)
            }
            let counted = try await adjust(cup, main, 5, "adjustment")
            let returned = try await adjust(mug, north, 3, "return")
            let synced = try await adjust(cup, north, -1, "sync")
            let order = try await make(
                api, Self.orderPath,
                """
                {"idempotency_key": "k", "currency": "USD", "items": [{"sku": "S-1", "quantity": 2, "unit_price": 1}]}
                """)
            let lines = try await api.get(Self.stockPath + "/ledger").page()
            let reserved = try #require(lines.first { $0["order_id"]?.string == order }).text("id")
            let recent = try await since("since", "created_at", of: Self.stockPath + "/ledger", api)
            try await expect(
                [
                    ("variant_id=\(mug)", [returned]), ("variant_id=\(cup)", [counted, synced, reserved]),
                    ("location_id=\(main)", [counted, reserved]), ("location_id=\(north)", [returned, synced]),
                    ("order_id=\(order)", [reserved]), ("reason=return", [returned]),
                    ("reason=reservation", [reserved]), recent,
                ], of: Self.stockPath + "/ledger", api)

            let levels = try await api.get(Self.stockPath + "/levels").page()
            func level(_ variant: String, _ place: String) throws -> String {
                try #require(
                    levels.first { $0["variant_id"]?.string == variant && $0["location_id"]?.string == place }
                ).text("id")
            }
            let (cups, mugs, owed) = (try level(cup, main), try level(mug, north), try level(cup, north))
            try await expect(
                [
                    ("variant_id=\(cup)", [cups, owed]), ("sku=S-2", [mugs]), ("location_id=\(north)", [mugs, owed]),
                    ("low_stock=true", [owed]), ("low_stock=false", [cups, mugs, owed]),
                ], of: Self.stockPath + "/levels", api)
        }
    }
}
