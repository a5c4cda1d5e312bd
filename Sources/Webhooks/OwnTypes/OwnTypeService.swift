import Events
import Kernel
import Storage

/// What callers can do with event types of their own: register, change and delete them, and publish their events.
package struct OwnTypeService: Sendable {
    /// Types of one tenant: each subscription that is saved is compared with all of them.
    package static let typesMost = 100

    private let publisher: EventPublisher
    private let ids: IDGenerator

    package init(publisher: EventPublisher, ids: IDGenerator) {
        self.publisher = publisher
        self.ids = ids
    }

    // MARK: Reading

    /// The tenant's types, by name.
    package func list(tenant: TenantID) async throws -> [OwnType] {
        try await publisher.database.read { try OwnTypeStore.list(tenant: tenant, in: $0) }
    }

    /// All that the tenant may subscribe to: the catalogue's types and its own.
    package func names(tenant: TenantID) async throws -> EventNames {
        EventNames(own: try await publisher.database.read { try OwnTypeStore.names(tenant: tenant, in: $0) })
    }

    /// One type; nil for the catalogue's, for unknown ones and for those of other tenants.
    package func find(_ name: String, tenant: TenantID) async throws -> OwnType? {
        try await publisher.database.read { try OwnTypeStore.fetch(name, tenant: tenant, in: $0) }
    }

    // MARK: Registering

    /// Registers a type. A name that the tenant has already, or a type beyond the limit, is a conflict.
    package func register(_ request: OwnTypeRequest, scope: Scope) async throws -> OwnType {
        let name = request.name ?? ""
        let schema = request.schema ?? .null
        try Self.check(schema, request.example)
        let id: OwnTypeID = ids.next()
        return try await publisher.write { transaction, events in
            try TenantLock.take(scope.tenant, in: transaction)
            let names = try OwnTypeStore.names(tenant: scope.tenant, in: transaction)
            if names.contains(name) { throw Refusal.conflict("The tenant has the event type \(name) already.") }
            if names.count >= Self.typesMost {
                throw Refusal.conflict(
                    "The tenant has \(names.count) event types of its own; the limit is \(Self.typesMost).")
            }
            let type = OwnType(
                id: id, name: name, summary: request.summary ?? "", schema: schema, example: request.example,
                version: 1, createdAt: events.now, updatedAt: events.now)
            try OwnTypeStore.insert(type, scope: scope, in: transaction)
            return type
        }
    }

    /// Sets what is given. Events that were published before stay as they were written.
    package func change(_ name: String, _ request: OwnTypeRequest, scope: Scope) async throws -> OwnType {
        try await publisher.write { transaction, events in
            guard let old = try OwnTypeStore.fetch(name, tenant: scope.tenant, isLocked: true, in: transaction) else {
                throw Self.unknown(name)
            }
            let new = OwnType(
                id: old.id, name: name, summary: request.summary ?? old.summary,
                schema: request.schema ?? old.schema, example: request.example ?? old.example,
                version: old.version + 1, createdAt: old.createdAt, updatedAt: events.now)
            // An example that the new schema refuses would be a lie, even where only the schema was given.
            try Self.check(new.schema, new.example)
            try OwnTypeStore.update(new, tenant: scope.tenant, in: transaction)
            return new
        }
    }

    /// Deletes a type that no subscription asks for. Its events stay in log and feed for as long as others do.
    package func delete(_ name: String, scope: Scope) async throws {
        try await publisher.write { transaction, _ in
            guard let type = try OwnTypeStore.fetch(name, tenant: scope.tenant, isLocked: true, in: transaction) else {
                throw Self.unknown(name)
            }
            let others = EventNames(
                own: try OwnTypeStore.names(tenant: scope.tenant, in: transaction).filter { $0 != name })
            let holders = try OwnTypeStore.patterns(tenant: scope.tenant, in: transaction).filter { entry in
                entry.patterns.contains { $0.asksOnly(for: type.name, beside: others) }
            }
            if !holders.isEmpty {
                throw Refusal.conflict(
                    "\(holders.count) subscriptions ask for \(name): change or delete them first.",
                    fields: [
                        Refusal.Field(
                            "subscription_ids",
                            .array(holders.prefix(100).map { .string($0.subscription.description) }))
                    ])
            }
            try OwnTypeStore.delete(name, tenant: scope.tenant, in: transaction)
        }
    }

    /// A schema that is understood in full, and an example that it accepts.
    private static func check(_ schema: JSONValue, _ example: JSONValue?) throws {
        let compiled = try JSONSchema(schema, at: ["schema"])
        let faults = example.map { compiled.faults(in: $0, at: ["example"]) } ?? []
        if !faults.isEmpty { throw InvalidDocument(faults) }
    }

    private static func unknown(_ name: String) -> Refusal {
        if EventNames.catalogue.contains(name) {
            return Refusal(.forbidden, "\(name) is not a type of the tenant's own: nobody can change it.")
        }
        return .notFound("event type of the tenant's own")
    }

    // MARK: Publishing

    /// Records an event of an own type with its deliveries and its place in the feed. A payload that the type's schema
    /// refuses is told what is wrong with it, and nothing is written.
    package func publish(_ request: OwnEventRequest, scope: Scope, actor: Actor) async throws -> DomainEvent {
        // Checked outside of the transaction, which would hold everybody up for as long as a large payload takes.
        for _ in 0..<Self.triesMost {
            guard let type = try await find(request.type, tenant: scope.tenant) else {
                throw try await refusal(of: request.type, tenant: scope.tenant)
            }
            let faults = try JSONSchema(type.schema).faults(in: .object(request.payload), at: ["payload"])
            if !faults.isEmpty { throw InvalidDocument(faults) }
            let written: DomainEvent? = try await publisher.write { transaction, events in
                let stored = try OwnTypeStore.fetch(request.type, tenant: scope.tenant, in: transaction)
                guard stored?.id == type.id, stored?.version == type.version else { return nil }
                return events.append(type, request.payload, entity: request.entity, scope: scope, actor: actor)
            }
            if let written { return written }
        }
        throw Refusal(.unavailable, "The event type changes all the time; please try again.", retryAfter: 1)
    }

    /// Whoever publishes meets a type that changed in between once in a while, and hardly ever twice.
    private static let triesMost = 5

    private func refusal(of name: String, tenant: TenantID) async throws -> InvalidDocument {
        let own = try await names(tenant: tenant).all.filter { !EventNames.catalogue.contains($0) }
        let detail =
            if EventNames.catalogue.contains(name) {
                "is raised by what happens here, and can't be published"
            } else if let nearest = EventNames.nearest(to: name, among: own) {
                "\"\(name.prefix(80))\" is no event type of the tenant's own; the nearest is \(nearest)"
            } else {
                "\"\(name.prefix(80))\" is no event type of the tenant's own, which has none"
            }
        return InvalidDocument(pointer: "/event_type", detail: detail)
    }
}

/// An event that a caller publishes.
package struct OwnEventRequest: Sendable {
    package let type: String
    /// What it is about; nil makes it an event about nothing but itself.
    package let entity: ID<DomainEvent.Entity>?
    package let payload: JSONObject

    package init(_ fields: FieldReader) {
        type = fields.requiredString("event_type", upTo: 200)
        entity = fields.id("entity_id")
        let value = fields.value("payload")
        payload = value?.object ?? .empty
        if value?.object == nil {
            fields.fault("payload", value.map { "must be an object, not \($0.kind)" } ?? "is required")
        }
    }
}

extension EventPattern {
    /// Whether the pattern would ask for nothing any more if that type were gone.
    fileprivate func asksOnly(for name: String, beside others: EventNames) -> Bool {
        switch self {
        case .all: false
        case .exactly(let wanted): wanted == name
        case .entity(let entity): matches(name) && !others.hasEntity(entity)
        }
    }
}
