import Kernel
import Logging
import Storage
import Synchronization

/// Writes attempts down in shared commits, while their senders already go on with the next delivery.
///
/// An attempt that can't be written is only logged: its delivery's lease ends, and it is sent once more. That is what
/// "at least once" means; the subscriber knows a repeat by its `webhook-id`.
final class AttemptRecorder: Sendable {
    /// What one transaction wrote down, told once, with whichever record is its first.
    struct Batch: Sendable {
        let deliveries: [ReadyDelivery]
        /// What it changed besides.
        let news: DeliveryNews?
    }

    /// Records that may wait before senders are held up.
    private static let waitingBeforeHolding = 4096
    private let committer: GroupCommitter<AttemptRecord, Batch?>
    private let logger: Logger
    private let execution: DispatchExecution
    /// Records that were taken and are neither on disk nor given up.
    private let unwritten = Mutex(0)
    private let allWritten = Doorbell()

    /// - Parameter process: the number that backlogs are leased under; nil where this process has the store alone.
    init(
        database: any Database, process: Int64?, time: TimeSource, logger: Logger, watch: DeliveryWatch,
        execution: DispatchExecution
    ) {
        self.logger = logger
        self.execution = execution
        // Nobody waits for records. For PostgreSQL each batch is a transaction with its ways and a flush of its own,
        // and two at once wait for each other where they are of one replay: one large batch at a time costs least.
        // Behind SQLite's one writer new orders wait as long as a batch takes, and many small ones share a commit.
        let (batch, fullCommits, linger) =
            database.dialect == .postgres ? (512, 1, Duration.milliseconds(12)) : (32, 64, .milliseconds(5))
        self.committer = GroupCommitter(
            database: database, lane: .background, batchLimit: batch, waitingLimit: 32_768,
            linger: execution.lingers ? linger : nil, fullCommitsMost: fullCommits
        ) { transaction, records in
            let recorded = try DeliveryStore.record(records, by: process, now: time.now(), in: transaction)
            let batch = Batch(
                deliveries: records.map(\.delivery), news: try watch.recorded(recorded, transaction))
            return .init(records.indices.map { $0 == 0 ? batch : nil })
        }
    }

    /// Takes a record. Returns at once while the store keeps up, and after the commit when it does not.
    ///
    /// - Parameter ended: called once the record is on disk, on the engine's thread, or with why it could not be
    ///   written. It must not block.
    func record(
        _ record: AttemptRecord, ended: @escaping @Sendable (AttemptRecord, Result<Batch?, any Error>) -> Void
    ) async {
        unwritten.withLock { $0 += 1 }
        if committer.waitingCount < Self.waitingBeforeHolding {
            committer.submit(record) { self.finish(record, $0, ended) }
            return
        }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            committer.submit(record) { result in
                self.finish(record, result, ended)
                continuation.resume()
            }
        }
    }

    private func finish(
        _ record: AttemptRecord, _ result: Result<Batch?, any Error>,
        _ ended: (AttemptRecord, Result<Batch?, any Error>) -> Void
    ) {
        if case .failure(let error) = result { log(error, record) }
        ended(record, result)
        let isLast = unwritten.withLock { count in
            count -= 1
            return count == 0
        }
        if isLast { allWritten.ring() }
    }

    /// Whether there are records that are neither on disk nor given up.
    var isBehind: Bool { unwritten.withLock { $0 } > 0 }

    /// Waits until what was taken is on disk, but no longer than `limit`.
    func flush(upTo limit: Duration) async {
        let end = execution.uptime() + limit
        // The bell remembers rings of earlier times: after each it is looked whether this is the one.
        while isBehind, !Task.isCancelled {
            let left = end - execution.uptime()
            if left <= .zero { return }
            await execution.wait(allWritten, left)
        }
    }

    private func log(_ error: any Error, _ record: AttemptRecord) {
        logger.warning(
            "attempt not recorded; the delivery will be repeated",
            metadata: ["delivery": "\(record.delivery.id)", "error": "\(error)"])
    }
}
