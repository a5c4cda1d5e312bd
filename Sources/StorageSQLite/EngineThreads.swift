import Storage
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The engine's threads: started together, and waited for together.
final class EngineThreads: Sendable {
    private struct State {
        var running = 0
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let ending: @Sendable () -> Void

    /// - Parameter ending: called on the last thread as it ends.
    init(ending: @escaping @Sendable () -> Void) {
        self.ending = ending
    }

    /// Runs all bodies, each on a thread of its own. They count as running from now on, so `ending` comes once.
    func start(_ bodies: [@Sendable () -> Void]) throws(StorageError) {
        state.withLock { $0.running = bodies.count }
        for (index, body) in bodies.enumerated() {
            let run: @Sendable () -> Void = {
                body()
                self.finish(1)
            }
            if !EngineThreads.startThread(run) {
                finish(bodies.count - index)
                throw StorageError(.unavailable, "the system gives no more threads")
            }
        }
    }

    /// Returns when all threads have ended.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }

    private func finish(_ count: Int) {
        let isLast = state.withLock { state in
            state.running -= count
            return state.running == 0
        }
        guard isLast else { return }
        ending()
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isOver = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(ThreadBody(body))
        #if canImport(Glibc)
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { raw in
                    if let raw { Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().run() }
                    return nil
                }, box.toOpaque())
            if code == 0 { pthread_detach(thread) }
        #else
            var thread: pthread_t?
            let code = pthread_create(
                &thread, nil,
                { raw in
                    Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().run()
                    return nil
                }, box.toOpaque())
            if let thread, code == 0 { pthread_detach(thread) }
        #endif
        if code != 0 { box.release() }
        return code == 0
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
