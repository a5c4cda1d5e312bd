import Synchronization

/// A value that arrives once and is awaited by one task. Later values are dropped: the first word counts.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case awaited(UnsafeContinuation<Value, Never>)
        case arrived(Value)
        case done
    }

    private let state = Mutex(State.empty)

    /// Hands the value over; false when another one came before.
    @discardableResult
    func fulfil(_ value: Value) -> Bool {
        let (isFirst, waiter): (Bool, UnsafeContinuation<Value, Never>?) = state.withLock { state in
            switch state {
            case .empty:
                state = .arrived(value)
                return (true, nil)
            case .awaited(let waiter):
                state = .done
                return (true, waiter)
            case .arrived, .done:
                return (false, nil)
            }
        }
        waiter?.resume(returning: value)
        return isFirst
    }

    /// The value, once it is there; to be called once.
    func value() async -> Value {
        await withUnsafeContinuation { continuation in
            let value: Value? = state.withLock { state in
                if case .arrived(let value) = state {
                    state = .done
                    return value
                }
                state = .awaited(continuation)
                return nil
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
