import Storage
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Starts the threads of a database and knows when the last of them has ended.
final class PostgresEnding: Sendable {
    private struct State {
        var running: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Carries a thread's object over to the thread, which alone uses it from then on.
    private final class Start {
        let thread: PostgresThread
        let ending: PostgresEnding

        init(thread: PostgresThread, ending: PostgresEnding) {
            self.thread = thread
            self.ending = ending
        }
    }

    private let state: Mutex<State>

    init(threads: Int) { state = Mutex(State(running: threads)) }

    func start(_ thread: PostgresThread) {
        let start = Unmanaged.passRetained(Start(thread: thread, ending: self))
        var identifier = pthread_t()
        let code = pthread_create(
            &identifier, nil,
            { raw in
                guard let raw else { return nil }
                // The object is let go, and its connection closed with it, before the end is told.
                let ending = PostgresEnding.run(Unmanaged<Start>.fromOpaque(raw))
                ending.end()
                return nil
            }, start.toOpaque())
        precondition(code == 0, "the system allows no more threads")
        pthread_detach(identifier)
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.running > 0 { state.waiting.append(continuation) }
                return state.running == 0
            }
            if isOver { continuation.resume() }
        }
    }

    private static func run(_ start: Unmanaged<Start>) -> PostgresEnding {
        let started = start.takeRetainedValue()
        started.thread.run()
        return started.ending
    }

    private func end() {
        let waiting = state.withLock { state in
            state.running -= 1
            return state.running == 0 ? state.waiting : []
        }
        for continuation in waiting { continuation.resume() }
    }
}
