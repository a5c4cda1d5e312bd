import Events
import Kernel
import Logging
import ServiceLifecycle
import Storage

/// Gives committed events their place in the feed where commits are out of order (PostgreSQL).
///
/// Every copy of the server runs one. They take turns through the lock on `feed_head`, which is held to the commit, so
/// that no lease and no leader is needed: a copy that dies in the middle has changed nothing.
package final class FeedSequencer: Service {
    /// Events numbered in one transaction.
    private static let batch = 2000
    /// How long an event of another copy, which died before numbering it, may lie unnumbered.
    private static let poll: Duration = .milliseconds(200)

    private let database: any Database
    private let logger: Logger
    private let doorbell = Doorbell()

    package init(database: any Database, logger: Logger) {
        self.database = database
        self.logger = logger
    }

    /// Says that there is something to number.
    package func wake() {
        if !database.dialect.commitsInOrder { doorbell.ring() }
    }

    package func run() async throws {
        if database.dialect.commitsInOrder {
            try await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await self.numberPending() == Self.batch { continue }
                } catch {
                    self.logger.warning("numbering the feed failed", metadata: ["error": "\(error)"])
                }
                await self.doorbell.wait(upTo: Self.poll)
            }
        }
    }

    /// Numbers what is committed, in the order of insertion; returns how many events that were.
    package func numberPending() async throws -> Int {
        try await database.write(.background) { transaction in
            // The lock comes before the look: a look before it could miss what the holder is about to leave behind.
            try transaction.run("SELECT position FROM feed_head WHERE id = 1 {for update}", [], rows: nil) { _ in }
            var pending: [(sequence: Int64, tenant: TenantID, event: EventID)] = try transaction.all(
                """
                DELETE FROM feed_pending
                WHERE sequence IN (SELECT sequence FROM feed_pending ORDER BY sequence LIMIT $1)
                RETURNING sequence, tenant_id, event_id
                """, [.int(Self.batch)]
            ) { ($0.int(0), $0.id(1), $0.id(2)) }
            if pending.isEmpty { return 0 }
            pending.sort { $0.sequence < $1.sequence }
            try EventStore.number(pending.map { ($0.tenant, $0.event) }, in: transaction)
            return pending.count
        }
    }
}
