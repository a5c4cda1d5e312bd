import Logging
import Storage
import Synchronization

/// The engine for servers of which several run on one store: libpq's blocking calls on threads of our own.
///
/// Each lane has its own connections, so that a flood of one kind of work never keeps the other kinds waiting.
package final class PostgresDatabase: Database {
    /// Connections that each lane keeps at the most. Every copy of the server takes as many from `max_connections`.
    package struct ConnectionCounts: Sendable {
        package var intake: Int
        package var interactive: Int
        package var prompt: Int
        package var background: Int

        /// Intake commits in groups, two at once: while one is flushed, the next is written.
        package init(intake: Int = 2, interactive: Int = 3, prompt: Int = 1, background: Int = 2) {
            self.intake = intake
            self.interactive = interactive
            self.prompt = prompt
            self.background = background
        }

        fileprivate func threads(of lane: Lane) -> Int {
            switch lane {
            case .intake: max(1, intake)
            case .interactive: max(1, interactive)
            case .prompt: max(1, prompt)
            case .background: max(1, background)
            }
        }
    }

    package let dialect = Dialect.postgres

    private let lanes: [PostgresLane]
    private let counter = PostgresCounter()
    private let ending: PostgresEnding

    /// Connects once, to fail early and to see to `now_ms()`; the threads connect with their first work.
    ///
    /// - Parameters:
    ///   - url: `postgres://…`, or words as in libpq's connection strings (`host=/run/postgresql dbname=tradewind`).
    ///   - nowExpression: SQL of type bigint that `now_ms()` answers instead of the server's clock, for tests; the
    ///     function belongs to the whole database.
    package init(
        url: String, connections: ConnectionCounts = ConnectionCounts(), nowExpression: String? = nil,
        logger: Logger = Logger(label: "storage.postgres")
    ) throws {
        do {
            let session = PostgresSession(lane: .background)
            try PostgresClock.install(
                nowExpression, on: PostgresConnection(url: url, session: session), counter: counter)
        } catch let failure as PostgresFailure {
            throw failure.error
        }
        let counts = Lane.allCases.map { connections.threads(of: $0) }
        lanes = counts.map { PostgresLane(threads: $0) }
        ending = PostgresEnding(threads: counts.reduce(0, +))
        for lane in Lane.allCases {
            for _ in 0..<counts[lane.rawValue] {
                let thread = PostgresThread(
                    lane: lanes[lane.rawValue], counter: counter, logger: logger, url: url,
                    session: PostgresSession(lane: lane))
                ending.start(thread)
            }
        }
    }

    deinit { for lane in lanes { lane.close() } }

    package var statementCount: Int { counter.statements.load(ordering: .relaxed) }

    package func enqueue(_ work: Work) {
        if !lanes[work.lane.rawValue].append(work) {
            work.completion(StorageError(.unavailable, "the store is shut down"))
        }
    }

    package func shutdown() async {
        for lane in lanes { lane.close() }
        await ending.wait()
    }

    /// Runs one command that cannot stand in a transaction (CREATE DATABASE, VACUUM) on a session of its own; blocks.
    package static func runAlone(_ command: String, at url: String) throws(StorageError) {
        do {
            try PostgresSession.runAlone(command, at: url)
        } catch {
            throw error.error
        }
    }
}
