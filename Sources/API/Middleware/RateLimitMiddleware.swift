import HTTPTypes
import Hummingbird
import Kernel
import Synchronization

/// How often each of very many callers may call, and what an answer says of it.
package final class RateLimit<Key: Hashable & Sendable>: Sendable {
    private let limiter: Mutex<RateLimiter<Key>>
    private let limitText: String
    private let time: TimeSource
    private let whose: String

    /// - Parameters:
    ///   - perMinute: nil is answered for 0, which means no limit at all.
    ///   - whose: what is counted by, as a refused caller is told.
    init?(perMinute: Int, whose: String, time: TimeSource) {
        guard perMinute > 0 else { return nil }
        limiter = Mutex(RateLimiter(perMinute: perMinute))
        limitText = String(perMinute)
        self.time = time
        self.whose = whose
    }

    /// Counts a call, and answers how many the caller has left; nil for one too many, which is not counted.
    func admit(_ key: Key) -> Int? {
        guard case .allowed(let remaining) = decide(key) else { return nil }
        return remaining
    }

    /// The same with 429 and `Retry-After` for one too many.
    func require(_ key: Key) throws(Problem) -> Int {
        switch decide(key) {
        case .allowed(let remaining): return remaining
        case .refused(let seconds):
            var problem = Problem.tooMany("Too many requests from this \(whose).", retryAfter: seconds)
            state(0, in: &problem.headers)
            throw problem
        }
    }

    private func decide(_ key: Key) -> RateLimiter<Key>.Decision {
        let now = time.now()
        return limiter.withLock { $0.take(key, now: now) }
    }

    /// Says how much is left. The innermost limit wins: it is the caller's own.
    func state(_ remaining: Int, in headers: inout HTTPFields) {
        guard headers[.rateLimitLimit] == nil else { return }
        headers[.rateLimitLimit] = limitText
        headers[.rateLimitRemaining] = String(remaining)
    }
}

/// The limits of callers with a token or key, counted together wherever they call.
package struct CallerRates: Sendable {
    let tokens: RateLimit<CredentialKey>?
    let addresses: RateLimit<String>?

    init(_ settings: APISettings, time: TimeSource) {
        tokens = RateLimit(perMinute: settings.tokenRequestsPerMinute, whose: "token", time: time)
        addresses = RateLimit(perMinute: settings.addressRequestsPerMinute, whose: "address", time: time)
    }
}

/// Bounds how often one caller may call: 429 with `Retry-After`, and on every answer how much is left.
struct RateLimitMiddleware<Key: Hashable & Sendable>: RouterMiddleware {
    typealias Context = AppContext

    private let limit: RateLimit<Key>
    private let key: @Sendable (Request, AppContext) -> Key?

    /// - Parameters:
    ///   - limit: nil is answered for none: such a middleware is not even mounted.
    ///   - key: what is counted by; requests without one are not limited.
    init?(_ limit: RateLimit<Key>?, key: @escaping @Sendable (Request, AppContext) -> Key?) {
        guard let limit else { return nil }
        self.limit = limit
        self.key = key
    }

    func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard let key = key(request, context) else { return try await next(request, context) }
        let remaining = try limit.require(key)
        do {
            var response = try await next(request, context)
            limit.state(remaining, in: &response.headers)
            return response
        } catch {
            // Errors tell the rate as well, so they are answered here rather than further out.
            guard var problem = Problem(error) else { throw error }
            limit.state(remaining, in: &problem.headers)
            throw problem
        }
    }
}

extension RateLimitMiddleware where Key == String {
    /// By client address.
    init?(_ limit: RateLimit<String>?, address: ClientAddress) {
        self.init(limit) { address.text(of: $0.headers, from: $1.remoteAddress) }
    }
}
