import Hummingbird
import Kernel
import Synchronization

/// Bounds how often one caller may call: 429 with `Retry-After`, and on every answer how much is left.
package final class RateLimitMiddleware<Key: Hashable & Sendable>: RouterMiddleware {
    package typealias Context = AppContext

    private let limiter: Mutex<RateLimiter<Key>>
    private let limitText: String
    private let time: TimeSource
    private let key: @Sendable (Request, AppContext) -> Key?
    private let whose: String

    /// - Parameters:
    ///   - perMinute: nil is answered for 0, which means no limit at all: such a middleware is not even mounted.
    ///   - key: what is counted by; requests without one are not limited.
    init?(
        perMinute: Int, whose: String, time: TimeSource, key: @escaping @Sendable (Request, AppContext) -> Key?
    ) {
        guard perMinute > 0 else { return nil }
        limiter = Mutex(RateLimiter(perMinute: perMinute))
        limitText = String(perMinute)
        self.time = time
        self.key = key
        self.whose = whose
    }

    package func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard let key = key(request, context) else { return try await next(request, context) }
        let now = time.now()
        switch limiter.withLock({ $0.take(key, now: now) }) {
        case .refused(let seconds):
            var problem = Problem.tooMany("Too many requests from this \(whose).", retryAfter: seconds)
            problem.headers[.rateLimitLimit] = limitText
            problem.headers[.rateLimitRemaining] = "0"
            throw problem
        case .allowed(let remaining):
            do {
                var response = try await next(request, context)
                state(remaining, in: &response.headers)
                return response
            } catch {
                // Errors tell the rate as well, so they are answered here rather than further out.
                guard var problem = Problem(error) else { throw error }
                state(remaining, in: &problem.headers)
                throw problem
            }
        }
    }

    /// The innermost limit wins: it is the caller's own.
    private func state(_ remaining: Int, in headers: inout HTTPFields) {
        guard headers[.rateLimitLimit] == nil else { return }
        headers[.rateLimitLimit] = limitText
        headers[.rateLimitRemaining] = String(remaining)
    }
}

extension RateLimitMiddleware where Key == CredentialKey {
    /// The limit of each token or API key.
    package convenience init?(tokensPerMinute perMinute: Int, time: TimeSource) {
        self.init(perMinute: perMinute, whose: "token", time: time) { _, context in context.credential }
    }
}

extension RateLimitMiddleware where Key == String {
    /// The limit of each client address.
    package convenience init?(addressesPerMinute perMinute: Int, address: ClientAddress, time: TimeSource) {
        self.init(perMinute: perMinute, whose: "address", time: time) { address.text(of: $0, $1) }
    }
}
