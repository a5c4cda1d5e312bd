import Kernel
import Testing

@testable import Events

private func example(_ name: String) throws -> (kind: any EventType.Type, payload: JSONValue, withheld: JSONValue?) {
    let kind = try #require(EventCatalog.all.first { $0.name == name })
    let event = kind.example.occurred(
        id: .zero, at: Timestamp(milliseconds: 0), scope: Scope(tenant: .zero, organisation: .zero), actor: .system,
        source: "api", causation: nil)
    return (kind, try JSONValue(parsing: event.payload), try event.withheld.map { try JSONValue(parsing: $0) })
}

@Suite("The catalogue of events")
struct EventCatalogTests {
    @Test("No two types share a name")
    func unique() {
        #expect(Set(EventCatalog.names).count == EventCatalog.all.count)
    }

    @Test("A name is an entity and an action in small letters", arguments: EventCatalog.names)
    func naming(name: String) throws {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        #expect(parts.count == 2)
        for part in parts {
            let characters = part.unicodeScalars
            #expect(!part.isEmpty && characters.allSatisfy { ("a"..."z").contains($0) || $0 == "_" })
        }
        let (kind, _, _) = try example(name)
        #expect(kind.entityType == parts.first.map(String.init))
        #expect(kind.summary.hasSuffix("."))
    }

    @Test("The example of a type writes exactly the declared fields, in their order", arguments: EventCatalog.names)
    func fields(name: String) throws {
        let (kind, payload, withheld) = try example(name)
        expectWritten(payload, kind.fields.filter { $0.privacy == .public }, at: name)
        expectWritten(withheld ?? .object(.empty), kind.fields.filter { $0.privacy != .public }, at: name)
        #expect((withheld == nil) == kind.fields.allSatisfy { $0.privacy == .public })
    }

    @Test("No name stands on both sides, and what is inside an object leaves with it", arguments: EventCatalog.names)
    func sides(name: String) throws {
        let (kind, _, _) = try example(name)
        #expect(Set(kind.fields.map(\.name)).count == kind.fields.count)
        for field in kind.fields {
            #expect(field.summary.hasSuffix("."))
            // A field of an object or list that were not public would never be written anywhere.
            #expect(field.children.allSatisfy { $0.privacy == .public && $0.summary.hasSuffix(".") })
        }
    }

    private func expectWritten(_ value: JSONValue, _ fields: [EventField], at place: String) {
        #expect(value.object?.members.map(\.name) == fields.map(\.name), "\(place)")
        for field in fields where !field.children.isEmpty {
            let inner = value[field.name]
            for element in inner?.array ?? [inner ?? .null] {
                expectWritten(element, field.children, at: "\(place).\(field.name)")
            }
        }
    }

    @Test("The person who bought is in no byte that leaves", arguments: ["order.created", "order.updated"])
    func persons(name: String) throws {
        let kind = try #require(EventCatalog.all.first { $0.name == name })
        let event = kind.example.occurred(
            id: .zero, at: Timestamp(milliseconds: 0), scope: Scope(tenant: .zero, organisation: .zero),
            actor: .system, source: "api", causation: nil)
        let payload = String(decoding: event.payload, as: UTF8.self)
        let withheld = String(decoding: event.withheld ?? [], as: UTF8.self)
        for word in ["customer_name", "customer_email", "Ann Guest", "ann@example.test"] {
            #expect(!payload.contains(word))
            #expect(withheld.contains(word))
        }
    }

    @Test("No event has a field for what something costs its seller", arguments: EventCatalog.names)
    func costs(name: String) throws {
        let (kind, _, _) = try example(name)
        let fields = kind.fields + kind.fields.flatMap(\.children)
        #expect(!fields.contains { $0.name.contains("cost") || $0.name.contains("margin") })
    }

    @Test(
        "Withheld: e-mail, phone, address, compensation, lifetime value, cost, margin, notes, secrets",
        arguments: EventCatalog.names)
    func withheld(name: String) throws {
        let words = [
            "email", "phone", "address", "compensation", "salary", "lifetime", "cost", "margin", "note", "secret",
            "password", "token", "url",
        ]
        let open = try example(name).kind.fields.filter { $0.privacy == .public }
        for field in open + open.flatMap(\.children) {
            #expect(!words.contains { field.name.contains($0) }, "\(name) lets \(field.name) leave")
        }
    }

    @Test(
        "Kept: identity, status, lifecycle dates, relation ids and selling price are public",
        arguments: [
            ("order.created", ["order_id", "external_id", "status", "placed_at", "created_at", "updated_at"]),
            ("product.created", ["product_id", "title", "status", "variants", "created_at", "updated_at"]),
            ("product.price_changed", ["product_id", "variant_id", "old_selling_price", "new_selling_price"]),
            ("customer.created", ["customer_id", "type", "status", "assigned_to", "created_at", "updated_at"]),
            ("inventory.adjusted", ["variant_id", "location_id", "ledger_entry_id", "adjusted_at"]),
            ("webhook.disabled", ["subscription_id", "host"]),
        ])
    func kept(name: String, fields: [String]) throws {
        let told = try example(name).payload.object?.members.map(\.name) ?? []
        #expect(Set(fields).isSubset(of: told), "\(told)")
    }

    @Test(
        "confidential, restricted: a type keeps apart what it may not let leave",
        arguments: [
            ("order.created", .confidential, ["customer_name", "customer_email"]),
            ("customer.created", .confidential, ["name", "email", "phone", "address", "lifetime_value", "notes"]),
            ("inventory.adjusted", .confidential, ["notes"]), ("sync.failed", .confidential, ["error_detail"]),
            ("webhook.disabled", .restricted, ["url"]),
        ] as [(String, Privacy, [String])])
    func apart(name: String, privacy: Privacy, fields: [String]) throws {
        let (kind, _, withheld) = try example(name)
        #expect(withheld?.object?.members.map(\.name) == fields)
        #expect(kind.fields.filter { $0.privacy == privacy }.map(\.name) == fields)
    }

    @Test(
        "A misspelt name is answered with the nearest known one",
        arguments: [
            ("order.craeted", "order.created"), ("orders.updated", "order.updated"),
            ("product.pricechanged", "product.price_changed"), ("Product.Created", "product.created"),
            ("order.created", "order.created"),
        ])
    func nearest(text: String, name: String) {
        #expect(EventNames.catalogue.nearest(to: text) == name)
    }

    @Test("A name of a megabyte is compared no further than names go")
    func longText() {
        #expect(EventNames.catalogue.nearest(to: String(repeating: "x", count: 1 << 20)).contains("."))
    }

    @Test(
        "The distance of two texts counts insertions, deletions and replacements",
        arguments: [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("", "", 0), ("flaw", "lawn", 2)])
    func distance(a: String, b: String, edits: Int) {
        #expect(EventNames.editDistance(a, b) == edits)
        #expect(EventNames.editDistance(b, a) == edits)
    }
}
