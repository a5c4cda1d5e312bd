import Kernel
import Storage
import Synchronization

/// Finds out whether the store can commit, by committing: disks that are full or read-only answer every read.
package final class ReadinessProbe: Sendable {
    private struct State {
        var fault: String?
        var askedAt: Timestamp?
    }

    /// Monitors of many kinds ask at once; the disk is flushed once a second for all of them.
    private static let memory: Duration = .seconds(1)

    private let database: any Database
    private let time: TimeSource
    private let timeout: Duration
    private let state = Mutex(State())

    package init(database: any Database, time: TimeSource = .system, timeout: Duration = .seconds(2)) {
        self.database = database
        self.time = time
        self.timeout = timeout
    }

    /// Why nothing can be stored; nil when it can.
    package func fault() async -> String? {
        let now = time.now()
        let last = state.withLock { $0 }
        if let askedAt = last.askedAt, now >= askedAt, now - askedAt < ReadinessProbe.memory { return last.fault }
        let fault = await commit()
        state.withLock { state in
            state.fault = fault
            state.askedAt = now
        }
        return fault
    }

    /// The commit and the clock race; whoever is second finds the continuation taken.
    private func commit() async -> String? {
        await withCheckedContinuation { continuation in
            let answer = FirstAnswer(continuation)
            let clock = Task { [timeout] in
                do { try await Task.sleep(for: timeout) } catch { return }
                answer.give("no commit within \(timeout)")
            }
            let work = Work(lane: .interactive, isWrite: true, body: ReadinessProbe.touch) { error in
                clock.cancel()
                answer.give(error.map { "\($0)" })
            }
            database.enqueue(work)
        }
    }

    @Sendable private static func touch(_ transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO revision (name, value) VALUES ('readiness', 1)
            ON CONFLICT (name) DO UPDATE SET value = revision.value + 1
            """)
    }
}

private final class FirstAnswer: Sendable {
    private let continuation: Mutex<CheckedContinuation<String?, Never>?>

    init(_ continuation: CheckedContinuation<String?, Never>) { self.continuation = Mutex(continuation) }

    func give(_ fault: String?) {
        let taken = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        taken?.resume(returning: fault)
    }
}
