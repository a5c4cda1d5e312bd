import Synchronization

/// What one task finds out and others wait for, so that a question that many have at once is asked once.
package final class SharedResult<Value: Sendable>: Sendable {
    private enum State {
        case open([CheckedContinuation<Value, any Error>])
        case settled(Result<Value, any Error>)
    }

    private let state = Mutex(State.open([]))

    package init() {}

    /// Lets everyone go on who waits or will wait. The first call counts.
    package func settle(_ result: Result<Value, any Error>) {
        let waiting = state.withLock { state -> [CheckedContinuation<Value, any Error>] in
            guard case .open(let waiting) = state else { return [] }
            state = .settled(result)
            return waiting
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    /// The value once it is known, or the error that took its place. Who waits is not freed by being cancelled: whoever
    /// finds out has to settle in every case.
    package func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let settled = state.withLock { state -> Result<Value, any Error>? in
                switch state {
                case .settled(let result): return result
                case .open(var waiting):
                    // The state lets go of the list first, or each who comes would copy it.
                    state = .open([])
                    waiting.append(continuation)
                    state = .open(waiting)
                    return nil
                }
            }
            if let settled { continuation.resume(with: settled) }
        }
    }
}
