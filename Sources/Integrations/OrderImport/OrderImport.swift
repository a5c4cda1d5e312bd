import Commerce
import Connectors
import Durable
import Events
import Kernel
import Storage
import Synchronization
import Webhooks

/// The workflow that turns stored deliveries into orders, many in one transaction.
///
/// One bad order parks itself and never holds back the next.
package final class OrderImport: WorkflowKind {
    package static let kind = "order_import"
    package let name = OrderImport.kind
    package let batchLimit: Int
    package let retry = RetryPolicy.local
    package let lane = Lane.prompt

    /// Bytes of bodies that are kept in memory for their import; others are read back from the inbox.
    private static let handedBytesMost = 8 << 20

    private struct Handed {
        var entries: [InboxID: InboxStore.Stored] = [:]
        var bytes = 0
    }

    private let publisher: EventPublisher
    private let importer: OrderImporter
    private let handed = Mutex(Handed())

    /// - Parameter batchLimit: orders of one transaction, which bounds how long an inbound delivery waits behind one.
    package init(publisher: EventPublisher, importer: OrderImporter, batchLimit: Int = 32) {
        self.publisher = publisher
        self.importer = importer
        self.batchLimit = batchLimit
    }

    /// The claim of an entry's import. It has no input: the entry of the same id is all it needs.
    static func claim(_ id: InboxID, scope: Scope, number: Int64, createdAt: Timestamp) -> WorkflowClaim {
        WorkflowClaim(
            id: id.cast(), tenant: scope.tenant, organisation: scope.organisation, kind: kind, input: [],
            number: number, attempts: 0, createdAt: createdAt)
    }

    /// Keeps a body that was just stored at hand, so that its import need not read it back.
    func hand(_ entry: InboxStore.Stored) {
        handed.withLock { handed in
            guard handed.bytes + entry.body.count <= Self.handedBytesMost else { return }
            handed.bytes += entry.body.count
            handed.entries[entry.id] = entry
        }
    }

    // MARK: Working

    package func perform(_ batch: [WorkflowClaim]) async throws {
        CrashPoint.reach(.afterClaim)
        let entries = try await entries(batch.map { $0.id.cast() })
        let plans = batch.map { plan($0, entries[$0.id.cast()]) }
        let importer = importer
        // Two copies may both be the first to see an order; whoever comes second then finds it there.
        try await publisher.writeAgainAfterDuplicate(lane) { transaction, events in
            let held = try WorkflowStore.held(plans.map(\.claim), in: transaction)
            // Asked for all of them, in one go with their claims, which are hardly ever lost.
            let lookup = try importer.ask(for: plans.compactMap(\.snapshot), in: transaction)
            let stillHeld = Set(try held.answer())
            let ours = plans.filter { stillHeld.contains($0.claim.id) }
            let outcomes = try importer.apply(ours.compactMap(\.snapshot), lookup, events: events, in: transaction)
            try WorkflowStore.settle(Self.settlements(ours, outcomes), now: events.now, in: transaction)
            CrashPoint.reach(.midImport)
        }
    }

    private func entries(_ ids: [InboxID]) async throws -> [InboxID: InboxStore.Stored] {
        var found = handed.withLock { handed in
            var taken: [InboxID: InboxStore.Stored] = [:]
            for id in ids {
                guard let entry = handed.entries.removeValue(forKey: id) else { continue }
                handed.bytes -= entry.body.count
                taken[id] = entry
            }
            return taken
        }
        let missing = ids.filter { found[$0] == nil }
        if !missing.isEmpty {
            let read = try await publisher.database.read(lane) { try InboxStore.fetch(missing, in: $0) }
            found.merge(read) { first, _ in first }
        }
        return found
    }

    /// A claimed entry with the snapshot that it holds, or why it holds none.
    private struct Plan: Sendable {
        let claim: WorkflowClaim
        let snapshot: ImportedSnapshot?
        let refusal: String?
    }

    private func plan(_ claim: WorkflowClaim, _ entry: InboxStore.Stored?) -> Plan {
        guard let entry else {
            return Plan(claim: claim, snapshot: nil, refusal: "the delivery is no longer kept")
        }
        guard let connector = ConnectorCatalog.connector(for: entry.connector) else {
            return Plan(claim: claim, snapshot: nil, refusal: "there is no connector named \(entry.connector)")
        }
        do throws(Untranslatable) {
            let snapshot = try connector.order(from: entry.body, event: entry.event)
            return Plan(
                claim: claim,
                snapshot: ImportedSnapshot(
                    scope: entry.scope, connection: entry.connection.cast(), provider: entry.provider,
                    inbox: entry.id.cast(), snapshot: snapshot), refusal: nil)
        } catch {
            return Plan(claim: claim, snapshot: nil, refusal: error.description)
        }
    }

    /// One settlement a plan; the outcomes are those of the plans that have a snapshot, in their order.
    private static func settlements(
        _ plans: [Plan], _ outcomes: [ImportOutcome]
    ) -> [(claim: WorkflowClaim, settlement: Settlement)] {
        var outcomes = outcomes.makeIterator()
        return plans.map { plan in
            if let refusal = plan.refusal { return (plan.claim, .dead(outcome: "parked", reason: refusal)) }
            return (plan.claim, settlement(outcomes.next()))
        }
    }

    private static func settlement(_ outcome: ImportOutcome?) -> Settlement {
        switch outcome {
        case .created(let order), .updated(let order):
            .completed(outcome: "processed", reason: nil, result: order.cast())
        case .unchanged(let order):
            .completed(outcome: "processed", reason: "nothing has changed", result: order.cast())
        case .stale(let order):
            .completed(
                outcome: "stale", reason: "a newer state of the order is stored already", result: order.cast())
        case .refused(let reason): .dead(outcome: "parked", reason: reason)
        case nil: .dead(outcome: "parked", reason: "the import gave no outcome for this delivery")
        }
    }
}
