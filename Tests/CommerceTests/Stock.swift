import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

// What tests ask of a shop's stock.

extension Shop {
    /// Adds pieces of a variant, or takes them away.
    @discardableResult
    func stock(
        _ variant: VariantID, _ delta: Int64, at location: LocationID? = nil, scope: Scope = scope
    ) async throws -> LedgerLine? {
        let place = location.map { #","location_id":"\#($0)""# } ?? ""
        let body = #"{"variant_id":"\#(variant)","quantity_delta":\#(delta)\#(place)}"#
        return try await inventory.adjust(
            request(body) { AdjustmentRequest($0) }, scope: scope, actor: Self.actor)
    }

    func levels(_ scope: Scope = scope) async throws -> [Level] {
        try await inventory.levels(InventoryService.LevelQuery(limit: 10_000), scope: scope)
    }

    func ledger(_ scope: Scope = scope) async throws -> [LedgerLine] {
        try await inventory.ledger(InventoryService.LedgerQuery(limit: 100_000), scope: scope)
    }

    /// A variant's numbers over all locations of its owner.
    func balance(_ variant: VariantID, scope: Scope = scope) async throws -> Balance {
        try await levels(scope).filter { $0.variant == variant }.reduce(Balance()) { $0 + $1.balance }
    }

    func allocate(_ allocation: InventorySettings.Allocation, threshold: Int64 = 0) async throws {
        try await inventory.save(
            InventorySettings(allocation: allocation, lowStockThreshold: threshold), of: Self.scope.tenant)
    }

    func location(_ name: String, isDefault: Bool = false, scope: Scope = scope) async throws -> Location {
        try await locations.create(
            request(#"{"name":"\#(name)","is_default":\#(isDefault)}"#) { NewLocation($0) }, scope: scope)
    }

    /// What the orders that stand there hold of each variant.
    func held(_ scope: Scope = scope) async throws -> [VariantID: Balance] {
        var held: [VariantID: Balance] = [:]
        for order in try await orders.list(OrderQuery(limit: 10_000), scope: scope) {
            for (spot, balance) in StockEffect.held(by: order) { held[spot.variant, default: Balance()] += balance }
        }
        return held
    }

    /// Every level is the sum of its ledger lines, and each line says what the level came to by it.
    ///
    /// - Parameter isInOrder: false where callers at once made lines whose ids don't tell who was first.
    func expectLedgerAddsUp(
        _ scope: Scope = scope, isInOrder: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var sums: [LevelKey: Balance] = [:]
        for line in try await ledger(scope) {
            let key = LevelKey(tenant: line.scope.tenant, variant: line.variant, location: line.location)
            sums[key, default: Balance()] = sums[key, default: Balance()] + line.delta
            if isInOrder { #expect(line.after == sums[key], "line \(line.id)", sourceLocation: sourceLocation) }
        }
        let levels = Dictionary(
            try await levels(scope).map { level in
                (LevelKey(tenant: level.scope.tenant, variant: level.variant, location: level.location), level.balance)
            }, uniquingKeysWith: { first, _ in first })
        #expect(levels == sums, sourceLocation: sourceLocation)
    }
}
