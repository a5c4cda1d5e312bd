import Kernel
import Logging
import ServiceLifecycle
import Storage

/// A duty that recurs, such as clearing out what has expired.
package struct Schedule: Sendable {
    package let name: String
    package let interval: Duration
    /// Must bear being run twice: a copy that dies in the middle is followed by another.
    package let duty: @Sendable (any Database) async throws -> Void

    package init(name: String, interval: Duration, duty: @escaping @Sendable (any Database) async throws -> Void) {
        self.name = name
        self.interval = interval
        self.duty = duty
    }
}

/// Runs each duty when it is due, by one copy of the server at a time.
package final class ScheduleRunner: Service {
    private let schedules: [Schedule]
    private let database: any Database
    private let random: @Sendable () -> UInt64
    private let logger: Logger
    private let doorbell = Doorbell()

    package init(
        schedules: [Schedule], database: any Database, random: @escaping @Sendable () -> UInt64, logger: Logger
    ) {
        self.schedules = schedules
        self.database = database
        self.random = random
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.runDue()
                await self.doorbell.wait(upTo: .seconds(15))
            }
        }
    }

    /// Runs what is due now, once each; returns the names of the duties that ran here.
    @discardableResult
    package func runDue() async -> [String] {
        var ran: [String] = []
        for schedule in schedules {
            do {
                guard try await take(schedule) else { continue }
                try await schedule.duty(database)
                ran.append(schedule.name)
            } catch {
                // Its next turn is already set: a duty that fails is tried again then.
                logger.warning("a duty failed", metadata: ["duty": "\(schedule.name)", "error": "\(error)"])
            }
        }
        return ran
    }

    /// Whether the duty is due and this copy is the one to do it. Taking it sets its next turn at once.
    private func take(_ schedule: Schedule) async throws -> Bool {
        let claim = Int64(random() >> 1)
        return try await database.write(.background) { transaction in
            try transaction.execute(
                "INSERT INTO schedule (name, next_at, claim) VALUES ($1, 0, 0) ON CONFLICT (name) DO NOTHING",
                [.text(schedule.name)])
            return try transaction.executeCounting(
                """
                UPDATE schedule SET next_at = now_ms() + $2, claim = $3 WHERE name = $1 AND next_at <= now_ms()
                """, [.text(schedule.name), .int(schedule.interval.wholeMilliseconds), .int(claim)]) > 0
        }
    }
}
