import Synchronization

/// Wakes one loop early. Rings that come while the loop works are remembered as one: the loop looks at the store, which
/// is the truth, and not at how often it was rung.
package final class Doorbell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
        /// When the waiter goes on by itself.
        var deadline = ContinuousClock.now
        var alarm: Alarm?
        var alarmsSet = 0
    }

    /// What ends a wait that nobody rings for. It goes on when a ring comes first, and serves the next wait: under load
    /// a loop waits thousands of times a second, and a timer costs it more than all else that a wait does.
    private struct Alarm {
        let time: ContinuousClock.Instant
        let number: Int
        let task: Task<Void, Never>
    }

    private let state = Mutex(State())

    package init() {}

    deinit { state.withLock { $0.alarm?.task.cancel() } }

    /// Wakes the waiting loop, or spares it its next wait when it is at work.
    package func ring() {
        let waiter = state.withLock { state in
            state.isRung = state.waiter == nil
            return state.waiter.take()
        }
        waiter?.resume()
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
                    state.waiter = continuation
                    state.deadline = .now + limit
                    setAlarm(&state)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }

    /// Whether a loop waits now, for tests.
    package var isWaitedFor: Bool { state.withLock { $0.waiter != nil } }

    /// Timers that waits have needed so far, for tests.
    package var alarmsSet: Int { state.withLock { $0.alarmsSet } }

    /// Sees to it that something looks at the waiter by its deadline.
    private func setAlarm(_ state: inout State) {
        let time = state.deadline
        if let alarm = state.alarm {
            if alarm.time <= time { return }
            alarm.task.cancel()
        }
        state.alarmsSet += 1
        let number = state.alarmsSet
        let task = Task { [weak self] in
            do { try await Task.sleep(until: time, clock: .continuous) } catch {
                // Cancelled for an earlier one, or because the bell is gone.
                return
            }
            self?.expire(number)
        }
        state.alarm = Alarm(time: time, number: number, task: task)
    }

    private func expire(_ number: Int) {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard state.alarm?.number == number else { return nil }
            state.alarm = nil
            if state.waiter == nil { return nil }
            // The wait that it was set for is over, and this is a later one.
            if state.deadline > .now {
                setAlarm(&state)
                return nil
            }
            return state.waiter.take()
        }
        waiter?.resume()
    }
}
