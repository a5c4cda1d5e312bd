import Synchronization

/// Lets callers that arrive while one commit runs share the next: on a disk that flushes 250 times a second, this is
/// the difference between 250 and many thousands of durable answers a second.
///
/// There is no timer: an idle store commits a single item at once, a busy one gets larger batches.
package final class GroupCommitter<Item: Sendable, Outcome: Sendable>: Sendable {
    private struct Waiting: Sendable {
        let item: Item
        let resume: @Sendable (Result<Outcome, any Error>) -> Void
    }

    private enum Next { case start, wait, refuse }

    /// What a transaction did for its batch.
    package struct Written: Sendable {
        /// One an item, in the batch's order.
        let outcomes: [Outcome]
        /// What others have to be told once it is on disk, before the callers are.
        let announce: (@Sendable () -> Void)?

        package init(_ outcomes: [Outcome], announce: (@Sendable () -> Void)? = nil) {
            self.outcomes = outcomes
            self.announce = announce
        }
    }

    private struct State {
        var waiting: [Waiting] = []
        /// What all that waits weighs together.
        var weight = 0
        /// Commits under way.
        var commits = 0
        var lastEnd: ContinuousClock.Instant?
    }

    /// The batch that a transaction took, handed from its body to its completion on the engine's thread.
    private final class Taken: @unchecked Sendable {
        var batch: [Waiting] = []
        var written = Written([])
    }

    private let database: any Database
    private let lane: Lane
    private let batchLimit: Int
    private let waitingLimit: Int
    private let linger: Duration?
    private let commitsMost: Int
    private let fullCommitsMost: Int
    private let weigh: (@Sendable (Item) -> Int)?
    private let commit: @Sendable (any Transaction, [Item]) throws -> Written
    private let state = Mutex(State())

    /// - Parameters:
    ///   - batchLimit: items of one transaction at the most, which bounds how long a later arrival waits.
    ///   - waitingLimit: items that may wait; one more is refused as unavailable.
    ///   - linger: for items that nobody waits for: how long a commit may be put off while others came just before, so
    ///     that it carries more than one. An item that comes alone is committed at once all the same.
    ///   - commitsMost: commits that may be under way at once, for engines that have more than one writer: while one is
    ///     flushed, the next is written. Items of two commits have no order among them.
    ///   - fullCommitsMost: the same for commits with a full batch each: an engine with one writer takes as many of
    ///     them into one flush as it has time for.
    ///   - weigh: how many items of the limit one item counts for; one if there is none.
    ///   - commit: writes a batch. What it wants announced is done by a task, and so are the callers' answers then;
    ///     else they are answered on the engine's thread.
    package init(
        database: any Database, lane: Lane, batchLimit: Int, waitingLimit: Int, linger: Duration? = nil,
        commitsMost: Int = 1, fullCommitsMost: Int = 1, weigh: (@Sendable (Item) -> Int)? = nil,
        commit: @escaping @Sendable (any Transaction, [Item]) throws -> Written
    ) {
        self.database = database
        self.lane = lane
        self.batchLimit = batchLimit
        self.waitingLimit = waitingLimit
        self.linger = linger
        self.commitsMost = commitsMost
        self.fullCommitsMost = max(commitsMost, fullCommitsMost)
        self.weigh = weigh
        self.commit = commit
    }

    /// Items that wait for a commit now.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Returns once the item is on disk.
    package func submit(_ item: Item) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            submit(item) { continuation.resume(with: $0) }
        }
    }

    /// The same for callers without a task; `resume` is called on the engine's thread and must not block.
    package func submit(_ item: Item, resume: @escaping @Sendable (Result<Outcome, any Error>) -> Void) {
        let next: Next = state.withLock { state in
            if state.waiting.count >= waitingLimit { return .refuse }
            state.waiting.append(Waiting(item: item, resume: resume))
            state.weight += weight(item)
            if state.commits >= commitsMost, !hasFullBatch(state, besides: state.commits) { return .wait }
            state.commits += 1
            return .start
        }
        switch next {
        case .start: startSoon()
        case .wait: break
        case .refuse: resume(.failure(StorageError(.unavailable, "\(waitingLimit) items are waiting for a commit")))
        }
    }

    private func weight(_ item: Item) -> Int { weigh?(item) ?? 1 }

    /// Whether there is a full batch for one more commit than these.
    private func hasFullBatch(_ state: State, besides commits: Int) -> Bool {
        commits < fullCommitsMost && state.weight >= batchLimit * (commits + 1)
    }

    /// Commits at once, or after lingering when the last commit ended less than four such whiles ago.
    private func startSoon() {
        guard let linger else { return startCommit() }
        let (lastEnd, isFull) = state.withLock { ($0.lastEnd, $0.weight >= batchLimit / 2) }
        guard !isFull, let lastEnd, lastEnd.duration(to: .now) < linger * 4 else { return startCommit() }
        Task {
            do { try await Task.sleep(for: linger) } catch {
                // Nobody cancels this task; if somebody did, the items would still have to be committed.
            }
            startCommit()
        }
    }

    private func startCommit() {
        let taken = Taken()
        database.enqueue(
            Work(
                lane: lane, isWrite: true,
                body: { transaction in
                    // Taken as late as possible, and only once: after a conflict the same batch runs again.
                    if taken.batch.isEmpty { taken.batch = self.takeBatch() }
                    // The other commit may have taken all there was.
                    if taken.batch.isEmpty { return }
                    taken.written = try self.commit(transaction, taken.batch.map(\.item))
                    precondition(taken.written.outcomes.count == taken.batch.count, "one outcome an item")
                },
                completion: { error in self.finish(taken, error) }))
    }

    private func takeBatch() -> [Waiting] {
        state.withLock { state in
            if state.weight <= batchLimit {
                defer { (state.waiting, state.weight) = ([], 0) }
                return state.waiting
            }
            // What weighs more than the whole limit goes all the same, with what came before it.
            var (count, weight) = (0, 0)
            while weight < batchLimit, count < state.waiting.count {
                weight += self.weight(state.waiting[count].item)
                count += 1
            }
            // Copied out before the rest moves up: a slice that still held the list would have all of that copied too.
            let batch = Array(state.waiting[..<count])
            state.waiting.removeFirst(count)
            state.weight -= weight
            return batch
        }
    }

    private func finish(_ taken: Taken, _ error: (any Error)?) {
        // An engine that is gone never ran the body: its callers must hear of it too.
        let batch = taken.batch.isEmpty && error != nil ? takeBatch() : taken.batch
        let goesOn = state.withLock { state in
            if linger != nil { state.lastEnd = .now }
            let others = state.commits - 1
            let goesOn = others < commitsMost ? !state.waiting.isEmpty : hasFullBatch(state, besides: others)
            if !goesOn { state.commits = others }
            return goesOn
        }
        // The next commit begins before anybody hears of this one, and takes whoever comes meanwhile.
        if goesOn { startSoon() }
        if let error { return batch.forEach { $0.resume(.failure(error)) } }
        guard let announce = taken.written.announce else { return Self.answer(taken) }
        Task {
            announce()
            Self.answer(taken)
        }
    }

    private static func answer(_ taken: Taken) {
        for (waiting, outcome) in zip(taken.batch, taken.written.outcomes) { waiting.resume(.success(outcome)) }
    }
}
