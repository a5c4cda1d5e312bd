import Events
import Kernel
import Storage
import Webhooks

/// Turns sets of changes into moves, one set after the other over the same levels, and writes those that are allowed.
struct AdjustmentPlanner: Sendable {
    let ids: IDGenerator

    /// One outcome a set. A set that is refused leaves no trace, and does not hold up the others of the transaction.
    func perform(
        _ sets: [AdjustmentSet], events: EventBuffer, in transaction: any Transaction
    ) throws -> [AdjustmentOutcome] {
        let questions = sets.flatMap { set in set.changes.map { question($0, set) } }
        let places = try InventoryStore.places(of: Set(questions), ids: ids, now: events.now, in: transaction)
        let keys = Set(places.compactMap { key($0.key, $0.value) })
        var shelf = Shelf(try InventoryStore.lock(keys, in: transaction))
        var moves: [StockMove] = []
        let plans = sets.map { set -> Result<[Int?], any Error> in
            var tried = shelf
            do {
                let planned = try plan(set, places, on: &tried)
                shelf = tried
                var at = moves.count
                moves += planned.compactMap { $0 }
                return .success(planned.map { move in if move == nil { nil } else { next(&at) } })
            } catch {
                return .failure(error)
            }
        }
        let settings = Dictionary(places.map { ($0.key.tenant, $0.value.settings) }, uniquingKeysWith: { $1 })
        let lines = try StockWriter(ids: ids).write(moves, settings: settings, events: events, in: transaction)
        return plans.map { plan in plan.map { places in places.map { $0.map { lines[$0] } } } }
    }

    private func next(_ place: inout Int) -> Int {
        defer { place += 1 }
        return place
    }

    private func plan(
        _ set: AdjustmentSet, _ places: [InventoryStore.Question: InventoryStore.Place], on shelf: inout Shelf
    ) throws -> [StockMove?] {
        try set.changes.enumerated().map { index, change in
            let question = question(change, set)
            guard let place = places[question], !place.isDeleted, place.organisation == set.scope.organisation else {
                throw set.notFound("variant", named: "variant_id", ofChange: index)
            }
            guard let key = key(question, place) else {
                throw set.notFound("location", named: change.locationName, ofChange: index)
            }
            if change.delta == 0 { return nil }
            let delta = Balance(onHand: change.delta)
            do throws(Shelf.Shortage) {
                let floor = place.settings.allocation == .hard ? change.floor : .none
                try shelf.make(delta, at: key, floor: floor)
            } catch {
                throw Self.refusal(error, delta: change.delta, fields: set.fields(ofChange: index))
            }
            return StockMove(
                key: key, organisation: place.organisation, sku: place.sku, reason: change.reason, delta: delta,
                transfer: change.transfer, note: change.note,
                origin: MoveOrigin(actor: set.actor, source: "api"))
        }
    }

    private static func refusal(_ shortage: Shelf.Shortage, delta: Int64, fields: [Refusal.Field]) -> Refusal {
        let before = shortage.before
        let sentence =
            shortage.floor == .available
            ? "Only \(before.available) pieces are available at the location, and \(-delta) are asked for."
            : "Only \(before.onHand) pieces are on hand at the location, so \(-delta) can't be taken from them."
        return Refusal.conflict(sentence, fields: fields + shortage.fields)
    }

    private func question(_ change: AdjustmentSet.Change, _ set: AdjustmentSet) -> InventoryStore.Question {
        InventoryStore.Question(tenant: set.scope.tenant, variant: change.variant, location: change.location)
    }

    private func key(_ question: InventoryStore.Question, _ place: InventoryStore.Place) -> LevelKey? {
        place.location.map { LevelKey(tenant: question.tenant, variant: question.variant, location: $0) }
    }
}

extension Shelf.Shortage {
    /// The level that lacks, for programs.
    var fields: [Refusal.Field] {
        [
            Refusal.Field("variant_id", .string(key.variant.description)),
            Refusal.Field("location_id", .string(key.location.description)),
            Refusal.Field("on_hand", .number(String(before.onHand))),
            Refusal.Field("reserved", .number(String(before.reserved))),
            Refusal.Field("available", .number(String(before.available))),
        ]
    }
}
