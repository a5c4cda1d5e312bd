import Kernel
import Synchronization

/// A clock that stands still until a test moves it. One clock may drive several engines and services.
package final class ManualTime: Sendable {
    private struct State {
        var now: Timestamp
        var followers: [Int: @Sendable (Timestamp) -> Void] = [:]
        var lastFollower = 0
    }

    private let state: Mutex<State>

    /// Begins at 2025-01-01T00:00:00Z unless told otherwise.
    package init(_ start: Timestamp = Timestamp(milliseconds: 1_735_689_600_000)) {
        state = Mutex(State(now: start))
    }

    package var now: Timestamp { state.withLock { $0.now } }

    /// This clock in the form that services take.
    package var source: TimeSource { TimeSource { self.now } }

    /// Moves the clock, also back; returns after all followers know.
    package func set(_ time: Timestamp) {
        let followers = state.withLock { state in
            state.now = time
            return state.followers
        }
        for follower in followers.values { follower(time) }
    }

    /// Moves the present forward and tells whoever follows it.
    package func advance(by duration: Duration) {
        let (time, followers) = state.withLock { state in
            state.now = state.now + duration
            return (state.now, state.followers)
        }
        for follower in followers.values { follower(time) }
    }

    /// Calls `follower` now and with each later move, on the thread that moves the clock, until `unfollow`.
    package func follow(_ follower: @escaping @Sendable (Timestamp) -> Void) -> Int {
        let (now, number) = state.withLock { state in
            state.lastFollower += 1
            state.followers[state.lastFollower] = follower
            return (state.now, state.lastFollower)
        }
        follower(now)
        return number
    }

    /// Ends a following, by the number that it was given.
    package func unfollow(_ number: Int) {
        state.withLock { $0.followers[number] = nil }
    }
}
