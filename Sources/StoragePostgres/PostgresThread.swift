import Logging
import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One connection with the thread that works for it: takes works from its lane, one transaction each.
final class PostgresThread {
    /// A transaction that loses against others five times in a row meets more than bad luck.
    private static let rerunLimit = 5
    private static let firstRerunPause = Duration.milliseconds(5)
    private static let firstReconnectPause = Duration.milliseconds(100)
    private static let longestReconnectPause = Duration.seconds(2)

    private let lane: PostgresLane
    private let counter: PostgresCounter
    private let logger: Logger
    private let url: String
    private let session: PostgresSession
    private var connection: PostgresConnection?
    private var planAge = KnowledgeAge.plans
    /// Nil where the lane's works can't wait for them.
    private var statisticsAge: KnowledgeAge?

    init(lane: PostgresLane, counter: PostgresCounter, logger: Logger, url: String, session: PostgresSession) {
        self.lane = lane
        self.counter = counter
        self.logger = logger
        self.url = url
        self.session = session
        statisticsAge = session.lane == .background ? .statistics : nil
    }

    /// Works until the lane is closed and empty.
    func run() {
        while let work = lane.take() {
            do {
                try perform(work)
                work.completion(nil)
            } catch let failure as PostgresFailure {
                work.completion(failure.error)
            } catch {
                work.completion(error)
            }
            if connection?.isLost == true {
                logger.warning("lost a connection to PostgreSQL", metadata: ["session": "\(session.name)"])
                connection = nil
            }
            if needsPause, !reconnect() { return }
        }
    }

    /// Set when the last attempt to connect failed.
    private var needsPause = false

    private func perform(_ work: Work) throws {
        for run in 0... {
            do {
                try renewStatistics()
                let connection = try connected()
                if planAge.isOver(at: .now) { try connection.forgetPlans() }
                return try PostgresTransaction.perform(work, on: connection, counter: counter)
            } catch let failure as PostgresFailure where failure.remedy != .none && run < Self.rerunLimit {
                wait(Self.firstRerunPause * (1 << run))
            }
        }
    }

    /// The work behind it is no worse off without them, so a failure is only told.
    private func renewStatistics() throws(PostgresFailure) {
        guard statisticsAge?.isOver(at: .now) == true else { return }
        let connection = try connected()
        do {
            try PostgresStatistics.renew(on: connection)
        } catch {
            logger.warning("cannot analyse tables that have grown", metadata: ["error": "\(error)"])
        }
    }

    /// The open connection, or a new one in place of one that the server has closed meanwhile.
    private func connected() throws(PostgresFailure) -> PostgresConnection {
        if let connection, connection.isAlive() { return connection }
        connection = nil
        do throws(PostgresFailure) {
            let opened = try PostgresConnection(url: url, session: session)
            connection = opened
            return opened
        } catch {
            needsPause = true
            throw error
        }
    }

    /// Tries again and again, and refuses the lane's works meanwhile; answers false when the lane was closed.
    private func reconnect() -> Bool {
        needsPause = false
        lane.markDown()
        var pause = Self.firstReconnectPause
        var deadline = timespec(after: pause)
        while true {
            switch lane.pause(until: deadline) {
            case .refuse(let works):
                refuse(works, "PostgreSQL cannot be reached")
            case .closed(let works):
                refuse(works, "the store is shut down")
                return false
            case .over:
                do throws(PostgresFailure) {
                    connection = try PostgresConnection(url: url, session: session)
                    lane.markUp()
                    logger.info("connected to PostgreSQL again", metadata: ["session": "\(session.name)"])
                    return true
                } catch {
                    logger.debug(
                        "cannot connect to PostgreSQL",
                        metadata: ["session": "\(session.name)", "error": "\(error.error.detail)"])
                    pause = min(pause * 2, Self.longestReconnectPause)
                    deadline = timespec(after: pause)
                }
            }
        }
    }

    private func refuse(_ works: [Work], _ reason: String) {
        for work in works { work.completion(StorageError(.unavailable, reason)) }
    }

    private func wait(_ pause: Duration) {
        var deadline = timespec(after: pause)
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nil) == EINTR {}
    }
}

extension timespec {
    /// An instant of the monotonic clock.
    fileprivate init(after pause: Duration) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let (seconds, attoseconds) = pause.components
        let nanoseconds = now.tv_nsec + Int(attoseconds / 1_000_000_000)
        self.init(tv_sec: now.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    }
}
