import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The loop of the one thread that writes: takes what waits, commits it as one transaction, answers, checkpoints.
struct SQLiteWriter {
    /// A store that has been quiet for this long copies its log, so that a restart finds little to do.
    private static let idleMilliseconds = 300

    let queue: WorkQueue
    let log: @Sendable (StorageError) -> Void

    /// Returns once the queue is closed and all its work is answered.
    func run(_ connection: SQLiteConnection) {
        let checkpoints = SQLiteCheckpoints(connection.handle, figures: connection.figures)
        var lanes = Lanes()
        var shares = LaneShares()
        while true {
            let patience: WorkQueue.Patience =
                if !lanes.isEmpty { .none } else if checkpoints.isBehind {
                    .milliseconds(SQLiteWriter.idleMilliseconds)
                } else { .endless }
            let isOpen = queue.takeAll(into: &lanes, patience: patience)
            if lanes.isEmpty {
                if !isOpen { return }
                attempt { () throws(StorageError) in try checkpoints.whenIdle() }
            } else {
                commit(&lanes, &shares, connection)
                attempt { () throws(StorageError) in try checkpoints.afterCommit() }
            }
        }
    }

    /// A checkpoint that fails loses nothing: the log keeps its pages, and the next one tries again.
    private func attempt(_ checkpoint: () throws(StorageError) -> Void) {
        do throws(StorageError) { try checkpoint() } catch { log(error) }
    }

    private func commit(_ lanes: inout Lanes, _ shares: inout LaneShares, _ connection: SQLiteConnection) {
        do throws(StorageError) {
            try connection.control("BEGIN IMMEDIATE")
        } catch {
            abandon(connection)
            log(error)
            for work in lanes.drain() { work.completion(StorageError(.unavailable, error.detail)) }
            return
        }
        var group = CommitGroup(connection, isAlone: lanes.count == 1)
        var cycle = CommitCycle(now: monotonicNanoseconds(), shares: shares, foremost: lanes.foremost)
        while !group.isLost,
            let work = cycle.next(from: &lanes, now: monotonicNanoseconds(), foremost: foremost(lanes))
        {
            group.run(work)
        }
        shares.record(cycle, now: monotonicNanoseconds())
        if let error = group.end() { log(error) }
        group.answer()
    }

    /// The first lane in which anything waits, be it here or, come meanwhile, in the queue.
    private func foremost(_ lanes: Lanes) -> Lane? {
        guard let here = lanes.foremost else { return queue.foremost }
        // Nothing in the queue can stand before the first lane: its lock is left alone.
        if here == .intake { return here }
        return queue.foremost.map { min($0, here) } ?? here
    }

    private func abandon(_ connection: SQLiteConnection) {
        if connection.isOutsideTransaction { return }
        do throws(StorageError) { try connection.control("ROLLBACK") } catch { log(error) }
    }
}

/// The pieces of work that share one commit, each undone by itself when it fails.
struct CommitGroup {
    private let connection: SQLiteConnection
    /// A single piece needs no savepoint: undoing it is undoing the transaction.
    private let isAlone: Bool
    private var fates: [(work: Work, error: (any Error)?)] = []
    /// Why nothing of this group can be committed any more.
    private var loss: StorageError?

    var isLost: Bool { loss != nil }

    init(_ connection: SQLiteConnection, isAlone: Bool) {
        self.connection = connection
        self.isAlone = isAlone
    }

    mutating func run(_ work: Work) {
        var error: (any Error)?
        do {
            if !isAlone { try connection.control("SAVEPOINT work") }
            try SQLiteTransaction(connection).perform(work.body)
            if !isAlone { try connection.control("RELEASE work") }
        } catch let failure {
            error = failure
            undo()
        }
        if loss == nil, connection.isOutsideTransaction, !(isAlone && error != nil) {
            loss = StorageError(.unavailable, "SQLite undid the transaction: \(error.map { "\($0)" } ?? "no error")")
        }
        fates.append((work, error))
    }

    /// Commits what succeeded, and makes sure that no transaction stays open. Returns why it could not.
    mutating func end() -> StorageError? {
        if loss == nil && !connection.isOutsideTransaction {
            do throws(StorageError) {
                try connection.control("COMMIT")
            } catch {
                loss = StorageError(.unavailable, error.detail)
            }
        }
        if !connection.isOutsideTransaction { rollBack() }
        return loss
    }

    /// Tells each piece its fate, in the order in which they ran.
    func answer() {
        for (work, error) in fates { work.completion(error ?? loss) }
    }

    private mutating func undo() {
        if connection.isOutsideTransaction { return }
        if isAlone { return rollBack() }
        do throws(StorageError) {
            try connection.control("ROLLBACK TO work")
            try connection.control("RELEASE work")
        } catch {
            loss = StorageError(.unavailable, "a failed piece of work could not be undone: \(error.detail)")
        }
    }

    private mutating func rollBack() {
        do throws(StorageError) {
            try connection.control("ROLLBACK")
        } catch {
            loss = StorageError(.unavailable, "could not roll back: \(error.detail)")
        }
    }
}

func monotonicNanoseconds() -> UInt64 {
    var spec = timespec()
    clock_gettime(CLOCK_MONOTONIC, &spec)
    return UInt64(spec.tv_sec) * 1_000_000_000 + UInt64(spec.tv_nsec)
}
