import Kernel
import Logging
import Storage

/// Writes attempts down in shared commits, while their senders already go on with the next delivery.
///
/// An attempt that can't be written is only logged: its delivery's lease ends, and it is sent once more. That is what
/// "at least once" means; the subscriber knows a repeat by its `webhook-id`.
final class AttemptRecorder: Sendable {
    /// Records that may wait before senders are held up.
    private static let waitingBeforeHolding = 2048

    private let committer: GroupCommitter<AttemptRecord, Void>
    private let logger: Logger
    private let empty = Doorbell()

    init(database: any Database, time: TimeSource, logger: Logger) {
        self.logger = logger
        self.committer = GroupCommitter(
            database: database, lane: .background, batchLimit: 256, waitingLimit: 16_384
        ) { transaction, records in
            try DeliveryStore.record(records, now: time.now(), in: transaction)
            return records.map { _ in }
        }
    }

    /// Takes a record. Returns at once while the store keeps up, and after the commit when it does not.
    func record(_ record: AttemptRecord) async {
        if committer.waitingCount < Self.waitingBeforeHolding {
            committer.submit(record) { [self] result in
                if case .failure(let error) = result { log(error, record) }
                if committer.waitingCount == 0 { empty.ring() }
            }
            return
        }
        do { try await committer.submit(record) } catch { log(error, record) }
    }

    /// Waits until what was taken is on disk, but no longer than `limit`.
    func flush(upTo limit: Duration) async {
        if committer.waitingCount > 0 { await empty.wait(upTo: limit) }
    }

    private func log(_ error: any Error, _ record: AttemptRecord) {
        logger.warning(
            "attempt not recorded; the delivery will be repeated",
            metadata: ["delivery": "\(record.delivery.id)", "error": "\(error)"])
    }
}
