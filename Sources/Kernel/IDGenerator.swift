import Synchronization

/// Makes UUIDv7 identifiers that never go back within one process, even when the wall clock does.
package final class IDGenerator: Sendable {
    private struct State {
        var lastMilliseconds: Int64 = 0
        var counter: UInt64 = 0
        var random: any RandomNumberGenerator & Sendable
    }

    private let time: TimeSource
    private let state: Mutex<State>

    package init(
        time: TimeSource = .system, random: any RandomNumberGenerator & Sendable = BlockRandomNumberGenerator()
    ) {
        self.time = time
        self.state = Mutex(State(random: random))
    }

    /// The next identifier: 48 bits of milliseconds, a 12-bit counter within them, 62 random bits.
    package func next<Kind>(_: Kind.Type = Kind.self) -> ID<Kind> {
        let now = time.now().milliseconds
        return state.withLock { state in
            if now > state.lastMilliseconds {
                state.lastMilliseconds = now
                state.counter = 0
            } else if state.counter < 0xFFF {
                state.counter += 1
            } else {
                // 4,096 in one millisecond: borrow from the next one rather than repeat a prefix.
                state.lastMilliseconds += 1
                state.counter = 0
            }
            let high = UInt64(state.lastMilliseconds) << 16 | 0x7000 | state.counter
            let low = 0x8000_0000_0000_0000 | (state.random.next() >> 2)
            return ID(high: high, low: low)
        }
    }
}
