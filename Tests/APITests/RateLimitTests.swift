import HTTPTypes
import Hummingbird
import Kernel
import TestSupport
import Testing

@testable import API

@Suite struct RateLimiterTests {
    private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_000_000 + milliseconds) }

    @Test("A minute's worth may be used at once, then one comes back each time its share of the minute has passed")
    func bucket() {
        var limiter = RateLimiter<String>(perMinute: 3)

        #expect(limiter.take("a", now: at(0)) == .allowed(remaining: 2))
        #expect(limiter.take("a", now: at(0)) == .allowed(remaining: 1))
        #expect(limiter.take("a", now: at(0)) == .allowed(remaining: 0))
        #expect(limiter.take("a", now: at(0)) == .refused(retryAfterSeconds: 20))
        #expect(limiter.take("a", now: at(19_001)) == .refused(retryAfterSeconds: 1))
        #expect(limiter.take("a", now: at(20_000)) == .allowed(remaining: 0))
        #expect(limiter.take("a", now: at(20_001)) == .refused(retryAfterSeconds: 20))
        #expect(limiter.take("a", now: at(90_000)) == .allowed(remaining: 2))
    }

    @Test("Callers do not spend each other's share, and refused calls cost nothing")
    func callers() {
        var limiter = RateLimiter<String>(perMinute: 1)
        #expect(limiter.take("a", now: at(0)) == .allowed(remaining: 0))
        for _ in 0..<100 { #expect(limiter.take("a", now: at(1)) == .refused(retryAfterSeconds: 60)) }

        #expect(limiter.take("b", now: at(1)) == .allowed(remaining: 0))
        #expect(limiter.take("a", now: at(60_000)) == .allowed(remaining: 0))
    }

    @Test("A clock that is set back holds nobody up for longer than a minute")
    func clock() {
        var limiter = RateLimiter<String>(perMinute: 1)
        #expect(limiter.take("a", now: at(10_000_000)) == .allowed(remaining: 0))

        #expect(limiter.take("a", now: at(0)) == .refused(retryAfterSeconds: 60))
        #expect(limiter.take("a", now: at(120_000)) == .allowed(remaining: 0))
    }

    @Test("Memory is bounded however many callers come, and one who keeps coming is not forgotten")
    func memory() {
        var limiter = RateLimiter<Int>(perMinute: 2, callersLimit: 100)
        _ = limiter.take(-1, now: at(0))
        _ = limiter.take(-1, now: at(0))
        for caller in 0..<1000 {
            _ = limiter.take(caller, now: at(1))
            if caller % 10 == 0 { #expect(limiter.take(-1, now: at(1)) == .refused(retryAfterSeconds: 30)) }
        }
    }

    @Test("Over any time, a caller gets the burst and the rate, and never more")
    func bound() {
        var limiter = RateLimiter<Int>(perMinute: 60)
        var allowed = 0
        for step in 0..<6000 {
            if case .allowed = limiter.take(1, now: at(Int64(step) * 100)) { allowed += 1 }
        }

        // 600 seconds at one a second, and the sixty that lay ready.
        #expect(allowed == 659 || allowed == 660)
    }
}

@Suite struct BoundedMapTests {
    @Test("It never holds more than its limit, and what is used stays")
    func bounded() {
        var map = BoundedMap<Int, Int>(limit: 10)
        map.insert(0, for: -1)
        for key in 0..<1000 {
            map.insert(key, for: key)
            #expect(map.value(-1) == 0)
            #expect(map.count <= 10)
        }
        #expect(map.value(5) == nil)
        map.remove(-1)
        #expect(map.value(-1) == nil)
    }
}

@Suite struct RateLimitTests {
    private static let route = "/api/v1/api-keys"

    private func settings(token: Int = 0, address: Int = 0, proxies: Int = 0) -> APISettings {
        var settings = APISettings()
        settings.tokenRequestsPerMinute = token
        settings.addressRequestsPerMinute = address
        settings.proxies = proxies
        return settings
    }

    @Test("Each token has its own rate, told on every answer, and 429 says when to come back")
    func tokens() async throws {
        try await withAPI(settings: settings(token: 2)) { api in
            let headers = try api.headers()
            let first = try await api.send(.get, Self.route, headers)
            let second = try await api.send(.get, "\(Self.route)?limit=0", headers)
            let third = try await api.send(.get, Self.route, headers)
            let other = try await api.send(
                .get, Self.route, try api.headers(APIHarness.principal(user: UserID(high: 9, low: 9))))

            #expect(first.status == 200)
            #expect(first.headers[.rateLimitLimit] == "2")
            #expect(first.headers[.rateLimitRemaining] == "1")
            #expect(second.status == 422)
            #expect(second.headers[.rateLimitRemaining] == "0")
            #expect(third.status == 429)
            #expect(third.headers[.retryAfter] == "30")
            #expect(third.headers[.rateLimitRemaining] == "0")
            #expect(other.status == 200)
        }
    }

    @Test("No limit, no header")
    func off() async throws {
        try await withAPI(settings: settings()) { api in
            let known = try api.headers()
            #expect(try await api.send(.get, Self.route, known).headers[.rateLimitLimit] == nil)
        }
    }

    @Test("Behind a proxy the address that it saw is counted by, and not what a caller writes before it")
    func addresses() async throws {
        try await withAPI(settings: settings(address: 1, proxies: 1)) { api in
            func status(_ forwarded: String) async throws -> Int {
                let headers = try api.headers(APIHarness.principal(), [.forwardedFor: forwarded])
                return try await api.send(.get, Self.route, headers).status
            }

            var statuses: [Int] = []
            for forwarded in ["10.0.0.1", "1.2.3.4, 10.0.0.1", "10.0.0.1, 10.0.0.2"] {
                statuses.append(try await status(forwarded))
            }

            #expect(statuses == [200, 429, 200])
        }
    }
}
