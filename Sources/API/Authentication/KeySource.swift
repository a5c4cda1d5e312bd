import HTTPTypes
import Kernel
import Logging
import Signing

/// Where a key set comes from, as the bytes of a JWKS document.
package struct KeySource: Sendable {
    let name: String
    let load: @Sendable () async throws -> [UInt8]

    /// A key set of two keys has one or two kilobytes.
    static let bytesLimit = 256 << 10

    package init(name: String, load: @escaping @Sendable () async throws -> [UInt8]) {
        self.name = name
        self.load = load
    }

    /// A file, read again when a token names a key that is not in it.
    package static func file(_ path: String) -> KeySource {
        KeySource(name: path) {
            guard let bytes = try KeyFile.read(path, limit: bytesLimit) else {
                throw TokenError("There is no key set at \(path).")
            }
            return bytes
        }
    }

    /// An address (the `jwks_uri` of an issuer), fetched with a bound on time and size.
    package static func address(_ url: String, exchange: any HTTPExchange) -> KeySource {
        KeySource(name: url) {
            let request = OutgoingRequest(
                method: .get, url: url, headers: [.accept: "application/jwk-set+json, application/json"],
                timeout: .seconds(5), responseLimit: bytesLimit)
            let response = try await exchange.send(request)
            guard response.status == 200 else {
                throw TokenError("The address of the key set answers \(response.status).")
            }
            return response.body
        }
    }
}

/// When a key set is fetched: at first use, when it is old, and when a token names an unknown key. Never more often
/// than once an interval, or anyone could make us flood the issuer with tokens that name keys of their own invention.
struct KeyRefresh: Sendable {
    enum Action: Equatable, Sendable {
        /// What is held will do.
        case use
        /// What is held will do, and newer is to be fetched meanwhile.
        case useAndFetch
        /// Only what is fetched can do.
        case fetch
        /// Nothing can be done now: there are no keys, and they were just asked for in vain.
        case refuse
    }

    let interval: Duration
    let age: Duration
    private var lastAttempt: Timestamp?
    private var lastSuccess: Timestamp?

    init(interval: Duration, age: Duration) {
        self.interval = interval
        self.age = age
    }

    func action(holdsKey: Bool, now: Timestamp) -> Action {
        let mayAsk = lastAttempt.map { now - $0 >= interval } ?? true
        guard let lastSuccess else { return mayAsk ? .fetch : .refuse }
        if !holdsKey { return mayAsk ? .fetch : .use }
        return now - lastSuccess >= age && mayAsk ? .useAndFetch : .use
    }

    mutating func asked(now: Timestamp) { lastAttempt = now }
    mutating func succeeded(now: Timestamp) { lastSuccess = now }
}

/// Holds the last good key set of a source. An actor, because it is asked only for tokens that no cache knows.
actor KeySetCache {
    private let source: KeySource
    private let time: TimeSource
    private let log: Logger
    private var refresh: KeyRefresh
    private var keys: KeySet?
    private var loading: Task<KeySet?, Never>?

    init(source: KeySource, time: TimeSource, log: Logger, interval: Duration, age: Duration) {
        self.source = source
        self.time = time
        self.log = log
        refresh = KeyRefresh(interval: interval, age: age)
    }

    /// The keys that may have signed this token; 503 while there is no key set at all.
    func keys(for token: JSONWebToken) async throws -> [VerificationKey] {
        let held = keys?.keys(for: token) ?? []
        // Who comes while a fetch runs waits for that one, if only it can help.
        if held.isEmpty, let loading { return try found(await loading.value, token) }
        switch refresh.action(holdsKey: !held.isEmpty, now: time.now()) {
        case .use: return held
        case .useAndFetch:
            _ = startLoading()
            return held
        case .fetch: return try found(await startLoading().value, token)
        case .refuse: return try found(nil, token)
        }
    }

    private func found(_ set: KeySet?, _ token: JSONWebToken) throws -> [VerificationKey] {
        guard let set = set ?? keys else {
            throw Problem.unavailable("The keys that tokens are checked with cannot be had.", retryAfter: 5)
        }
        return set.keys(for: token)
    }

    private func startLoading() -> Task<KeySet?, Never> {
        if let loading { return loading }
        refresh.asked(now: time.now())
        let task = Task { await load() }
        loading = task
        return task
    }

    private func load() async -> KeySet? {
        defer { loading = nil }
        do {
            let set = try await KeySet(parsing: source.load())
            refresh.succeeded(now: time.now())
            keys = set
            return set
        } catch {
            log.warning(
                "key set not loaded", metadata: ["source": .string(source.name), "error": .string("\(error)")])
            return nil
        }
    }
}
