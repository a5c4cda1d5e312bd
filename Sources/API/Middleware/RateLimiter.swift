import Kernel

/// A token bucket for each of very many callers, each kept as one number: the instant at which its bucket is full
/// again (the generic cell rate algorithm). A bucket holds a minute's worth and fills evenly.
struct RateLimiter<Key: Hashable & Sendable>: Sendable {
    enum Decision: Equatable, Sendable {
        case allowed(remaining: Int)
        case refused(retryAfterSeconds: Int)
    }

    private static var window: Int64 { 60_000_000 }

    let perMinute: Int
    /// Microseconds that one request costs.
    private let cost: Int64
    private var fullAt: BoundedMap<Key, Int64>
    private var agedAt: Int64 = .min

    /// - Parameters:
    ///   - perMinute: requests of one caller; at least one.
    ///   - callersLimit: callers that are remembered; of more, those that were quiet are taken for new ones.
    init(perMinute: Int, callersLimit: Int = 100_000) {
        self.perMinute = max(1, perMinute)
        cost = max(1, Self.window / Int64(max(1, perMinute)))
        fullAt = BoundedMap(limit: callersLimit)
    }

    mutating func take(_ key: Key, now: Timestamp) -> Decision {
        let now = now.milliseconds * 1000
        // A bucket that was not touched for a minute is full again: forgetting it changes nothing.
        if agedAt == .min { agedAt = now }
        if now - agedAt >= Self.window || now < agedAt {
            fullAt.age()
            agedAt = now
        }
        // The upper bound is for a clock that was set back: nobody waits longer than a minute.
        let full = min(max(fullAt.value(key) ?? now, now), now + Self.window)
        let after = full + cost
        if after > now + Self.window {
            // Kept as well, because the bound above may just have shortened it.
            fullAt.insert(full, for: key)
            let wait = after - Self.window - now
            return .refused(retryAfterSeconds: Int((wait + 999_999) / 1_000_000))
        }
        fullAt.insert(after, for: key)
        return .allowed(remaining: Int((now + Self.window - after) / cost))
    }
}
