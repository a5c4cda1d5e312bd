import Kernel
import Logging
import Synchronization

/// Decides whether a JWT is to be believed, and remembers for a while that it was: a client that calls often costs
/// one signature check in five minutes.
package final class TokenVerifier: Sendable {
    private struct Verified: Sendable {
        let principal: Principal
        let until: Timestamp
    }

    /// Tokens that are remembered; each takes some 150 bytes.
    private static let rememberedLimit = 50_000
    /// How long a key that its issuer has withdrawn can go on working for a token that was seen before.
    private static let memory: Duration = .seconds(300)

    private let rules: TokenRules
    private let keys: KeySetCache
    private let time: TimeSource
    private let remembered = Mutex(BoundedMap<CredentialKey, Verified>(limit: rememberedLimit))

    /// - Parameters:
    ///   - refreshInterval: the least time between two fetches of the key set.
    ///   - refreshAge: how old a key set may become before it is fetched anew without need.
    package init(
        rules: TokenRules, source: KeySource, time: TimeSource = .system, log: Logger,
        refreshInterval: Duration = .seconds(15), refreshAge: Duration = .seconds(600)
    ) {
        self.rules = rules
        self.time = time
        keys = KeySetCache(source: source, time: time, log: log, interval: refreshInterval, age: refreshAge)
    }

    /// The principal of a token that was verified before and has not ended since. No signature, no suspension.
    func recall(_ key: CredentialKey) -> Principal? {
        let now = time.now()
        guard let verified = remembered.withLock({ $0.value(key) }), now < verified.until else { return nil }
        return verified.principal
    }

    /// Checks a token in full; throws `TokenError` when it is not to be believed.
    func verify(_ text: some StringProtocol & Sendable, key: CredentialKey) async throws -> Principal {
        let token = try JSONWebToken(text)
        guard try await keys.keys(for: token).contains(where: { $0.verifies(token) }) else {
            throw TokenError("The token's signature does not hold.")
        }
        let now = time.now()
        let (principal, expiry) = try rules.judge(token.claims, now: now)
        let until = min(expiry + rules.leeway, now + TokenVerifier.memory)
        remembered.withLock { $0.insert(Verified(principal: principal, until: until), for: key) }
        return principal
    }
}
