import Events
import Kernel
import Storage
import Webhooks

/// Some changes of levels that one caller asks for, which happen all or not at all.
struct AdjustmentSet: Sendable {
    struct Change: Sendable {
        let variant: VariantID
        let location: LocationID?
        /// What the location is called in the caller's document.
        var locationName = "location_id"
        let delta: Int64
        let reason: LedgerReason
        let floor: Floor
        var transfer: ID<Transfer>?
        let note: String?
    }

    let scope: Scope
    let actor: Actor
    let changes: [Change]
    /// Whether a refusal says which of several it is about.
    let namesIndex: Bool

    /// What the refusal of one of several says besides.
    func fields(ofChange index: Int) -> [Refusal.Field] {
        namesIndex ? [Refusal.Field("index", .number(String(index)))] : []
    }

    /// The refusal of an id that one change names, at its place in the caller's document.
    func notFound(_ what: String, named name: String, ofChange index: Int) -> Refusal {
        let pointer = namesIndex ? "/adjustments/\(index)/\(name)" : "/\(name)"
        return Refusal.notFound(what, at: [pointer], fields: fields(ofChange: index))
    }
}

/// What became of one change: its ledger line, or none where it was of nothing.
typealias AdjustmentOutcome = Result<[LedgerLine?], any Error>

/// Brings adjustments to the store many at once: those that arrive while one transaction runs share the next.
///
/// On a hot variant one update of its row serves them all, where each for itself would queue for the row's lock. Each
/// still has its own ledger line, event and answer, and is refused for itself alone.
final class AdjustmentQueue: Sendable {
    /// Changes of one transaction at the most, which bounds how long a later one waits.
    private static let changesAtOnce = 512
    /// More than a minute's worth at any speed we know: whoever comes then is better told to come again.
    private static let waitingMost = 20_000

    private let committer: GroupCommitter<AdjustmentSet, AdjustmentOutcome>

    init(publisher: EventPublisher, ids: IDGenerator) {
        let planner = AdjustmentPlanner(ids: ids)
        committer = publisher.committer(
            batchLimit: Self.changesAtOnce, waitingLimit: Self.waitingMost, weigh: { $0.changes.count },
            commit: { try planner.perform($2, events: $1, in: $0) })
    }

    /// Returns once the set is on disk; one outcome a change, in their order.
    func submit(_ set: AdjustmentSet) async throws -> [LedgerLine?] {
        try await committer.submit(set).get()
    }
}
