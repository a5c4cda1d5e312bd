import Synchronization

/// Wakes one loop early. Rings that come while the loop works are remembered as one: the loop looks at the store, which
/// is the truth, and not at how often it was rung.
package final class Doorbell: Sendable {
    private struct State {
        var isRung = false
        var generation = 0
        var waiter: CheckedContinuation<Void, Never>?
        var timer: Task<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes the waiting loop, or spares it its next wait when it is at work.
    package func ring() {
        wake { state in state.isRung = state.waiter == nil }
    }

    /// Whether it was rung since the last wait or question, for a loop that is driven from outside and never waits.
    package func takeRing() -> Bool {
        state.withLock { state in
            defer { state.isRung = false }
            return state.isRung
        }
    }

    /// Returns after a ring (one that came before counts too), after `limit`, or when the task is cancelled.
    package func wait(upTo limit: Duration) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return true
                    }
                    state.generation += 1
                    let generation = state.generation
                    state.waiter = continuation
                    state.timer = Task { await self.expire(generation, after: limit) }
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }

    private func expire(_ generation: Int, after limit: Duration) async {
        do { try await Task.sleep(for: limit) } catch {
            // Cancelled because a ring came first.
            return
        }
        wake(onlyGeneration: generation) { _ in }
    }

    private func wake(onlyGeneration generation: Int? = nil, _ change: (inout State) -> Void) {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            if let generation, generation != state.generation { return nil }
            change(&state)
            state.timer?.cancel()
            state.timer = nil
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
