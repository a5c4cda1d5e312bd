import Kernel
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// Runs the workflows of one kind: those handed over in memory by whoever committed them, then those that are due.
package final class WorkflowRunner: Service {
    private struct State {
        var handed: [WorkflowClaim] = []
        var batches = 0
        /// Batches that are worked on beside each other.
        var running = 0
        var linger = Linger()
        /// Whether the store may hold something due. Asking it means waiting for its writer, so handed claims alone are
        /// no reason.
        var isStoreDue = true
        var isStopping = false
    }

    /// Claims held in memory; what comes beyond stays in the store, due at once.
    package static let handedMost = 10_000
    /// Each batch of this number comes from the store first, or a steady stream of handed claims would starve retries.
    private static let storeTurn = 16
    /// How often the store is asked for what became due by its time, and for what other copies left.
    private static let pollInterval: Duration = .seconds(1)

    /// The claim number of workflows that this process commits itself.
    package let number: Int64
    private let kind: any WorkflowKind
    private let database: any Database
    private let time: TimeSource
    private let random: @Sendable () -> UInt64
    private let logger: Logger
    private let doorbell = Doorbell()
    private let state = Mutex(State())

    package init(
        kind: any WorkflowKind, database: any Database, time: TimeSource, random: @escaping @Sendable () -> UInt64,
        logger: Logger
    ) {
        self.kind = kind
        self.database = database
        self.time = time
        self.random = random
        self.logger = logger
        self.number = Chance.claimNumber(random())
    }

    // MARK: Handing over

    /// Whether workflows that are committed now should be born leased to this process.
    package var hasRoom: Bool { state.withLock { !$0.isStopping && $0.handed.count < Self.handedMost } }

    /// Claims handed over and not yet begun.
    package var backlog: Int { state.withLock { $0.handed.count } }

    /// Makes this process lease nothing of what it commits: it will not run.
    package func leaveToOthers() { state.withLock { $0.isStopping = true } }

    /// Takes workflows that were committed as leased to this process.
    package func offer(_ claims: [WorkflowClaim]) {
        if claims.isEmpty { return }
        state.withLock { state in
            state.handed.append(contentsOf: claims)
            state.linger.note(claims.count, at: .now)
        }
        doorbell.ring()
    }

    /// Says that something is due in the store.
    package func wake() {
        state.withLock { $0.isStoreDue = true }
        doorbell.ring()
    }

    // MARK: Working

    package func run() async throws {
        await cancelWhenGracefulShutdown { await withDiscardingTaskGroup { await self.loop(&$0) } }
        await giveBack(
            state.withLock { state in
                state.isStopping = true
                defer { state.handed = [] }
                return state.handed
            })
    }

    private func loop(_ group: inout DiscardingTaskGroup) async {
        let clock = ContinuousClock()
        var nextPoll = clock.now
        while !Task.isCancelled {
            if clock.now >= nextPoll {
                state.withLock { $0.isStoreDue = true }
                nextPoll = clock.now + Self.pollInterval
            }
            let hasPlace = state.withLock { $0.running < kind.batchesAtOnce }
            let batch = hasPlace ? await nextBatch() : []
            if batch.isEmpty {
                await doorbell.wait(upTo: clock.now.duration(to: nextPoll))
            } else if kind.batchesAtOnce == 1 {
                await perform(batch)
                await linger()
            } else {
                state.withLock { $0.running += 1 }
                group.addTask {
                    await self.perform(batch)
                    self.state.withLock { $0.running -= 1 }
                    // What was given back may be due.
                    self.wake()
                }
            }
        }
    }

    /// Lets a few more come before the next batch where many come, unless it would be full already.
    private func linger() async {
        let wait = state.withLock { state in
            let isReady = state.handed.count >= kind.batchLimit || state.isStopping
            return isReady ? .zero : state.linger.wait(at: .now)
        }
        if wait == .zero { return }
        do { try await Task.sleep(for: wait) } catch {
            // Stopping: the loop sees it by itself.
        }
    }

    /// Works on what is due until nothing is; for tests and for tools that run without a service group.
    package func drain() async {
        while true {
            state.withLock { $0.isStoreDue = true }
            let batch = await nextBatch()
            if batch.isEmpty { return }
            await perform(batch)
        }
    }

    private func nextBatch() async -> [WorkflowClaim] {
        let isStoresTurn = state.withLock { state in
            state.batches += 1
            return state.batches % Self.storeTurn == 0
        }
        if !isStoresTurn {
            let handed = takeHanded()
            if !handed.isEmpty { return handed }
        }
        let isStoreDue = state.withLock { state in
            defer { state.isStoreDue = false }
            return state.isStoreDue || isStoresTurn
        }
        if isStoreDue {
            let claimed = await claimDue()
            if !claimed.isEmpty {
                // More may be there, and what is worked on may leave something due.
                state.withLock { $0.isStoreDue = true }
                return claimed
            }
        }
        return takeHanded()
    }

    private func takeHanded() -> [WorkflowClaim] {
        state.withLock { state in
            let batch = Array(state.handed.prefix(kind.batchLimit))
            state.handed.removeFirst(batch.count)
            return batch
        }
    }

    private func claimDue() async -> [WorkflowClaim] {
        let (number, name, limit) = (Chance.claimNumber(random()), kind.name, kind.batchLimit)
        do {
            return try await database.write(kind.lane) { transaction in
                try WorkflowStore.claim(kind: name, number: number, limit: limit, in: transaction)
            }
        } catch {
            logger.warning("claiming workflows failed", metadata: ["kind": "\(name)", "error": "\(error)"])
            return []
        }
    }

    private func perform(_ batch: [WorkflowClaim]) async {
        do {
            try await kind.perform(batch)
        } catch {
            if batch.count == 1 || Self.isUnavailable(error) { return await recordFailure(batch, error) }
            logger.info(
                "a batch failed and is run one by one", metadata: ["kind": "\(kind.name)", "error": "\(error)"])
            for claim in batch { await perform([claim]) }
        }
    }

    private static func isUnavailable(_ error: any Error) -> Bool {
        (error as? StorageError)?.code == .unavailable
    }

    private func recordFailure(_ batch: [WorkflowClaim], _ error: any Error) async {
        if error is LostClaim { return }
        logger.warning(
            "workflow failed", metadata: ["kind": "\(kind.name)", "id": "\(batch[0].id)", "error": "\(error)"])
        // Neither the end of this process nor the store's absence is a fault of the work: nothing is counted.
        if Task.isCancelled { return await giveBack(batch) }
        if Self.isUnavailable(error) {
            await doorbell.wait(upTo: .seconds(1))
            return await giveBack(batch)
        }
        let now = time.now()
        let jitter = Chance.fraction(random())
        let settlements = batch.map { claim in
            (
                claim,
                kind.retry.settlement(attempts: claim.attempts + 1, reason: "\(error)", now: now, jitter: jitter)
            )
        }
        do {
            try await database.write(.background) { transaction in
                try WorkflowStore.settle(settlements, now: now, in: transaction)
            }
        } catch {
            logger.warning("a failure was not recorded; the lease ends by itself", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Stopping

    /// Claims that one transaction gives back: there may be very many, and others wait for the store meanwhile.
    private static let givenBackAtOnce = 1024

    /// Gives claims back without a settlement, so that nobody need wait for their leases to end.
    private func giveBack(_ claims: [WorkflowClaim]) async {
        let now = time.now()
        do {
            for start in stride(from: 0, to: claims.count, by: Self.givenBackAtOnce) {
                let part = Array(claims[start...].prefix(Self.givenBackAtOnce))
                try await database.write(.background) { transaction in
                    try WorkflowStore.giveBack(part, due: now, in: transaction)
                }
            }
        } catch {
            logger.warning("leases were not given back; they end by themselves", metadata: ["error": "\(error)"])
        }
    }
}
