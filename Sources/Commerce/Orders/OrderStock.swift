import Events
import Kernel
import Storage
import Webhooks

/// Moves the stock that changes of orders mean, for a whole batch in three statements.
struct OrderStock: Sendable {
    /// An order before and after a change that is about to be written.
    struct Change {
        let old: Order?
        var new: Order
        let origin: MoveOrigin
        /// Whether somebody asked for the change here and can be refused. What a store tells has happened.
        let isRefusable: Bool

        /// Where a caller's document names a line: a new order's items are its lines, and what an edit adds stands
        /// behind the lines that there were.
        func pointer(ofLine index: Int) -> String {
            guard let old else { return "/items/\(index)" }
            return "/add_lines/\(index - old.lines.count)"
        }
    }

    let ids: IDGenerator

    /// Gives each matched line its location, moves what the changes mean, and marks orders that were promised more than
    /// there is. Throws a conflict that names the line where a refusable change lacks stock.
    ///
    /// The orders' rows are locked before, levels only here: everybody locks in that order.
    func settle(_ changes: inout [Change], events: EventBuffer, in transaction: any Transaction) throws {
        let questions = Set(changes.flatMap(questions))
        if questions.isEmpty { return }
        let places = try InventoryStore.places(of: questions, ids: ids, now: events.now, in: transaction)
        for index in changes.indices { try place(&changes[index], places) }
        let owners = Dictionary(
            places.map { (Owner(tenant: $0.key.tenant, variant: $0.key.variant), $0.value) },
            uniquingKeysWith: { first, _ in first })
        let plans = changes.map { change in moves(of: change, owners) }
        try refuseShortages(zip(changes, plans).filter { $0.0.isRefusable }, owners, in: transaction)
        let settings = Dictionary(places.map { ($0.key.tenant, $0.value.settings) }, uniquingKeysWith: { $1 })
        let lines = try StockWriter(ids: ids).write(
            plans.flatMap { $0 }, settings: settings, events: events, in: transaction)
        let oversold = Set(lines.filter(\.oversells).compactMap(\.order))
        for index in changes.indices {
            let order = changes[index].new
            let waits = StockEffect.held(by: order).values.contains { $0.reserved > 0 }
            changes[index].new.isOversold = waits && (order.isOversold || oversold.contains(order.id))
        }
    }

    private struct Owner: Hashable {
        let tenant: TenantID
        let variant: VariantID
    }

    // MARK: Places

    /// What has to be known: where lines go that have no place yet, and whose the variants are that move.
    private func questions(_ change: Change) -> [InventoryStore.Question] {
        let tenant = change.new.scope.tenant
        let known = Set(change.old?.lines.compactMap { $0.location == nil ? nil : $0.key } ?? [])
        var questions = change.new.lines.compactMap { line -> InventoryStore.Question? in
            guard line.isItem, let variant = line.variant else { return nil }
            // A location that is new on its line was named by a caller, and has to be looked for.
            if line.location != nil, known.contains(line.key) { return nil }
            return InventoryStore.Question(tenant: tenant, variant: variant, location: line.location)
        }
        questions += StockEffect.moves(from: change.old, to: change.new).map { move in
            InventoryStore.Question(tenant: tenant, variant: move.spot.variant, location: move.spot.location)
        }
        return questions
    }

    private func place(
        _ change: inout Change, _ places: [InventoryStore.Question: InventoryStore.Place]
    ) throws {
        for index in change.new.lines.indices {
            let line = change.new.lines[index]
            guard line.isItem, let variant = line.variant else { continue }
            let question = InventoryStore.Question(
                tenant: change.new.scope.tenant, variant: variant, location: line.location)
            guard let place = places[question] else { continue }
            if place.location == nil, change.isRefusable {
                throw Refusal.notFound("location", at: [change.pointer(ofLine: index) + "/location_id"])
            }
            change.new.lines[index].location = place.location
        }
    }

    // MARK: Moves

    private func moves(of change: Change, _ owners: [Owner: InventoryStore.Place]) -> [StockMove] {
        let tenant = change.new.scope.tenant
        return StockEffect.moves(from: change.old, to: change.new).compactMap { move in
            guard let owner = owners[Owner(tenant: tenant, variant: move.spot.variant)] else { return nil }
            return StockMove(
                key: LevelKey(tenant: tenant, variant: move.spot.variant, location: move.spot.location),
                organisation: owner.organisation, sku: owner.sku, reason: move.reason, delta: move.delta,
                order: change.new.id, origin: change.origin)
        }
    }

    private func refuseShortages(
        _ planned: [(Change, [StockMove])], _ owners: [Owner: InventoryStore.Place], in transaction: any Transaction
    ) throws {
        let hard = planned.map { change, moves in
            let bound = moves.filter { move in
                let owner = owners[Owner(tenant: move.key.tenant, variant: move.key.variant)]
                return move.delta.available < 0 && owner?.settings.allocation == .hard
            }
            return (change.new, bound)
        }
        let keys = Set(hard.flatMap { $0.1.map(\.key) })
        if keys.isEmpty { return }
        var shelf = Shelf(try InventoryStore.lock(keys, in: transaction))
        for (order, moves) in hard {
            for move in moves {
                do throws(Shelf.Shortage) { try shelf.make(move.delta, at: move.key, floor: .available) } catch {
                    throw Self.refusal(error, wanted: -move.delta.available, order)
                }
            }
        }
    }

    private static func refusal(_ shortage: Shelf.Shortage, wanted: Int64, _ order: Order) -> Refusal {
        let line = order.lines.first {
            $0.isItem && $0.variant == shortage.key.variant && $0.location == shortage.key.location
        }
        let name = line.map { $0.sku ?? $0.title } ?? shortage.key.variant.description
        return Refusal.conflict(
            "Only \(shortage.before.available) pieces of \"\(name)\" are available, and \(wanted) more are asked for.",
            fields: [
                Refusal.Field("line_id", line.map { .string($0.key) } ?? .null),
                Refusal.Field("sku", line?.sku.map { .string($0) } ?? .null),
            ] + shortage.fields)
    }
}
