import Events
import Kernel
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// Gives committed events their place in the feed where commits are out of order (PostgreSQL).
///
/// Every copy of the server runs one. They take turns through the lock on `feed_head`, which is held to the commit, so
/// that no lease and no leader is needed: a copy that dies in the middle has changed nothing.
package final class FeedSequencer: Service {
    /// Events numbered in one transaction.
    private static let batch = 2000
    /// How long an event of another copy, which died before numbering it, may lie unnumbered.
    private static let poll: Duration = .milliseconds(200)
    /// What comes within this time of the last look shares the next: a transaction for each event would cost a fifth of
    /// what the order costs that it tells of. An event that comes alone is numbered at once.
    private static let pause: Duration = .milliseconds(10)

    private let database: any Database
    private let logger: Logger
    /// Readers who are told when something new can be read.
    package let watch: FeedWatch
    private let doorbell = Doorbell()
    /// How far the feed was numbered when this process last looked.
    private let head = Mutex<Int64>(0)

    package init(database: any Database, logger: Logger, watch: FeedWatch = FeedWatch()) {
        self.database = database
        self.logger = logger
        self.watch = watch
    }

    /// Says that events of these organisations are committed.
    package func wake(for scopes: Set<Scope>) {
        if database.dialect.commitsInOrder { watch.announce(scopes) } else { doorbell.ring() }
    }

    package func run() async throws {
        if database.dialect.commitsInOrder {
            try await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let count = try await self.numberPending()
                    if count == Self.batch { continue }
                    if count > 0 { await Doorbell().wait(upTo: Self.pause) }
                } catch {
                    self.logger.warning("numbering the feed failed", metadata: ["error": "\(error)"])
                }
                await self.doorbell.wait(upTo: Self.poll)
            }
        }
    }

    /// Numbers what is committed, in the order of insertion; returns how many events that were.
    package func numberPending() async throws -> Int {
        let (entries, before) = try await database.write(.background) { transaction in
            try FeedStore.numberPending(limit: Self.batch, in: transaction)
        }
        let known = head.withLock { head in
            defer { head = before + Int64(entries.count) }
            return head
        }
        if before > known { watch.announceAll() } else { watch.announce(Set(entries.map(\.scope))) }
        return entries.count
    }
}
