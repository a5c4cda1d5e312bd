import Events
import Kernel
import Storage
import Webhooks

/// What callers can do with levels. Each change of one writes its ledger line and raises `inventory.adjusted`.
package struct InventoryService: Sendable {
    /// Which levels a list is asked for.
    package struct LevelQuery: Sendable {
        package var after: ID<Level>?
        package var limit: Int
        package var variant: VariantID?
        package var sku: String?
        package var location: LocationID?
        /// Only levels at or below their threshold.
        package var onlyLow = false

        package init(limit: Int) { self.limit = limit }
    }

    /// Which ledger lines a list is asked for.
    package struct LedgerQuery: Sendable {
        package var after: ID<LedgerLine>?
        package var limit: Int
        package var variant: VariantID?
        package var location: LocationID?
        package var order: OrderID?
        package var reason: LedgerReason?
        package var since: Timestamp?

        package init(limit: Int) { self.limit = limit }
    }

    private let publisher: EventPublisher
    private let queue: AdjustmentQueue
    private let ids: IDGenerator
    private let time: TimeSource

    package init(publisher: EventPublisher, ids: IDGenerator, time: TimeSource) {
        self.publisher = publisher
        self.ids = ids
        self.time = time
        queue = AdjustmentQueue(publisher: publisher, ids: ids)
    }

    // MARK: Reading

    /// A page of levels by their ids.
    package func levels(_ query: LevelQuery, scope: Scope) async throws -> [Level] {
        try await publisher.database.read { try InventoryReader.levels(query, scope: scope, in: $0) }
    }

    /// A page of the ledger, oldest first.
    package func ledger(_ query: LedgerQuery, scope: Scope) async throws -> [LedgerLine] {
        try await publisher.database.read { try InventoryReader.ledger(query, scope: scope, in: $0) }
    }

    // MARK: Changing

    /// Changes one level; nil for a change of nothing. Many at once share a transaction.
    package func adjust(_ request: AdjustmentRequest, scope: Scope, actor: Actor) async throws -> LedgerLine? {
        try await submit([Self.change(request)], scope: scope, actor: actor, namesIndex: false).first ?? nil
    }

    /// Changes several levels, all or none. A refusal names the first line that stands in the way by its `index`.
    package func adjust(_ requests: [AdjustmentRequest], scope: Scope, actor: Actor) async throws -> [LedgerLine?] {
        try await submit(requests.map(Self.change), scope: scope, actor: actor, namesIndex: true)
    }

    /// Moves pieces between two locations: two ledger lines that share the transfer's id, the source's first.
    package func transfer(_ request: TransferRequest, scope: Scope, actor: Actor) async throws -> [LedgerLine] {
        let id: ID<Transfer> = ids.next()
        func change(_ location: LocationID, _ name: String, _ delta: Int64) -> AdjustmentSet.Change {
            AdjustmentSet.Change(
                variant: request.variant, location: location, locationName: name, delta: delta, reason: .transfer,
                floor: .available, transfer: id, note: request.note)
        }
        let changes = [
            change(request.from, "from_location_id", -request.quantity),
            change(request.to, "to_location_id", request.quantity),
        ]
        return try await submit(changes, scope: scope, actor: actor, namesIndex: false).compactMap { $0 }
    }

    private static func change(_ request: AdjustmentRequest) -> AdjustmentSet.Change {
        AdjustmentSet.Change(
            variant: request.variant, location: request.location, delta: request.delta, reason: request.reason,
            floor: .onHand, note: request.note)
    }

    private func submit(
        _ changes: [AdjustmentSet.Change], scope: Scope, actor: Actor, namesIndex: Bool
    ) async throws -> [LedgerLine?] {
        try await queue.submit(AdjustmentSet(scope: scope, actor: actor, changes: changes, namesIndex: namesIndex))
    }

    /// Gives a level a threshold of its own, or with nil the tenant's again. Nothing moves, so nothing is told.
    package func setThreshold(_ threshold: Int64?, of id: ID<Level>, scope: Scope) async throws -> Level {
        let now = time.now()
        let found = try await publisher.database.write { transaction in
            try InventoryReader.setThreshold(threshold, of: id, scope: scope, now: now, in: transaction)
            return try InventoryReader.level(id, scope: scope, in: transaction)
        }
        guard let found else { throw Refusal.notFound("level") }
        return found
    }

    // MARK: Settings

    /// What holds for the whole tenant.
    package func settings(of tenant: TenantID) async throws -> InventorySettings {
        try await publisher.database.read { try InventoryStore.settings(of: tenant, in: $0) }
    }

    /// Replaces the tenant's settings. Levels that are below zero by then stay there.
    package func save(_ settings: InventorySettings, of tenant: TenantID) async throws {
        let now = time.now()
        try await publisher.database.write { transaction in
            let before = try InventoryStore.settings(of: tenant, in: transaction)
            try InventoryStore.save(settings, of: tenant, now: now, in: transaction)
            if before.allocation != settings.allocation {
                try AvailabilityChanges.countSoldOut(of: tenant, now: now, in: transaction)
            }
        }
    }
}
