import Events
import Kernel
import Storage
import Synchronization
import Webhooks

/// Some changes of levels that one caller asks for, which happen all or not at all.
struct AdjustmentSet: Sendable {
    struct Change: Sendable {
        let variant: VariantID
        let location: LocationID?
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
}

/// What became of one change: its ledger line, or none where it was of nothing.
typealias AdjustmentOutcome = Result<[LedgerLine?], any Error>

/// Brings adjustments to the store many at once: those that arrive while one transaction runs share the next.
///
/// On a hot variant one update of its row serves them all, where each for itself would queue for the row's lock. Each
/// still has its own ledger line, event and answer, and is refused for itself alone.
final class AdjustmentQueue: Sendable {
    private struct Waiting: Sendable {
        let set: AdjustmentSet
        let continuation: CheckedContinuation<[LedgerLine?], any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        var isDraining = false
    }

    /// Changes of one transaction at the most, which bounds how long a later one waits.
    private static let changesAtOnce = 512
    /// More than a minute's worth at any speed we know: whoever comes then is better told to come again.
    private static let waitingMost = 20_000

    private let publisher: EventPublisher
    private let planner: AdjustmentPlanner
    private let state = Mutex(State())

    init(publisher: EventPublisher, ids: IDGenerator) {
        self.publisher = publisher
        planner = AdjustmentPlanner(ids: ids)
    }

    /// Returns once the set is on disk; one outcome a change, in their order.
    func submit(_ set: AdjustmentSet) async throws -> [LedgerLine?] {
        try await withCheckedThrowingContinuation { continuation in
            let starts = state.withLock { state -> Bool? in
                if state.waiting.count >= Self.waitingMost { return nil }
                state.waiting.append(Waiting(set: set, continuation: continuation))
                defer { state.isDraining = true }
                return !state.isDraining
            }
            switch starts {
            case nil:
                continuation.resume(
                    throwing: Refusal(.unavailable, "Too many adjustments are waiting.", retryAfter: 1))
            case true?: Task { await drain() }
            case false?: break
            }
        }
    }

    private func drain() async {
        while let batch = takeBatch() {
            do {
                let outcomes = try await publisher.write { [planner] transaction, events in
                    try planner.perform(batch.map(\.set), events: events, in: transaction)
                }
                for (waiting, outcome) in zip(batch, outcomes) { waiting.continuation.resume(with: outcome) }
            } catch {
                for waiting in batch { waiting.continuation.resume(throwing: error) }
            }
        }
    }

    private func takeBatch() -> [Waiting]? {
        state.withLock { state in
            var changes = 0
            let batch = state.waiting.prefix { waiting in
                defer { changes += waiting.set.changes.count }
                return changes < Self.changesAtOnce
            }
            state.waiting.removeFirst(batch.count)
            state.isDraining = !batch.isEmpty
            return batch.isEmpty ? nil : Array(batch)
        }
    }
}
