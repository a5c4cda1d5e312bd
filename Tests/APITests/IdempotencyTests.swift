import API
import HTTPTypes
import Hummingbird
import Kernel
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct IdempotencyTests {
    /// What a test's own route did, and what it is to do next.
    private final class Till: Sendable {
        struct State {
            var calls = 0
            var failure: (any Error & Sendable)?
            var isHeld = false
            var held: [CheckedContinuation<Void, Never>] = []
            var arrived: [CheckedContinuation<Void, Never>] = []
        }
        let state = Mutex(State())
        var calls: Int { state.withLock { $0.calls } }

        func mount(_ router: Router<AppContext>, _ dependencies: APIDependencies) {
            dependencies.tenantGroup(of: router).requiring(.member).idempotent(dependencies.idempotency)
                .post("/test/sales") { request, context in
                    let body = try await context.body(of: request)
                    let (call, failure, isHeld) = self.state.withLock { state in
                        state.calls += 1
                        for waiting in state.arrived { waiting.resume() }
                        state.arrived = []
                        return (state.calls, state.failure, state.isHeld)
                    }
                    if isHeld {
                        await withCheckedContinuation { waiting in self.state.withLock { $0.held.append(waiting) } }
                    }
                    if let failure { throw failure }
                    return JSONResponse(status: .created) { writer in
                        writer.field("call", call)
                        writer.field("bytes", body.count)
                    }
                }
        }

        func fail(with error: (any Error & Sendable)?) { state.withLock { $0.failure = error } }
        func hold() { state.withLock { $0.isHeld = true } }

        func release() {
            state.withLock { state in
                state.isHeld = false
                for waiting in state.held { waiting.resume() }
                state.held = []
            }
        }

        /// Returns once the route has been called.
        func arrival() async {
            await withCheckedContinuation { waiting in
                let isThere = state.withLock { state in
                    if state.calls == 0 { state.arrived.append(waiting) }
                    return state.calls > 0
                }
                if isThere { waiting.resume() }
            }
        }
    }

    private static let key: HTTPFields = [.idempotencyKey: "order-1"]

    private func withTill(
        _ engine: TestEngine = .sqlite, _ body: @Sendable (APIHarness, Till) async throws -> Void
    ) async throws {
        let till = Till()
        try await withAPI(engine, routes: { till.mount($0, $1) }) { api in try await body(api, till) }
    }

    @Test(
        "A repeated call gets the first answer and does nothing; another body under the key is 409",
        arguments: TestEngine.allCases)
    func replay(_ engine: TestEngine) async throws {
        try await withTill(engine) { api, till in
            let headers = try api.headers(APIHarness.principal(), Self.key)
            let first = try await api.send(.post, "/test/sales", headers, body: "{\"a\":1}")
            let again = try await api.send(.post, "/test/sales", headers, body: "{\"a\":1}")
            let other = try await api.send(.post, "/test/sales", headers, body: "{\"a\":2}")

            #expect(first.status == 201)
            #expect(first.headers[.idempotencyReplayed] == nil)
            #expect(again.status == 201)
            #expect(again.bytes == first.bytes)
            #expect(again.headers[.contentType] == "application/json")
            #expect(again.headers[.idempotencyReplayed] == "true")
            #expect(other.status == 409)
            #expect(till.calls == 1)
        }
    }

    @Test("Without a key each call counts; keys of other tenants and other users are other keys or other requests")
    func scope() async throws {
        try await withTill { api, till in
            for _ in 0..<2 { _ = try await api.send(.post, "/test/sales", try api.headers(), body: "{}") }
            #expect(till.calls == 2)
            let mine = try api.headers(APIHarness.principal(), Self.key)
            let theirs = try api.headers(APIHarness.principal(tenant: TenantID(high: 5, low: 5)), Self.key)
            let colleague = try api.headers(APIHarness.principal(user: UserID(high: 6, low: 6)), Self.key)

            #expect(try await api.send(.post, "/test/sales", mine, body: "{}").status == 201)
            #expect(try await api.send(.post, "/test/sales", theirs, body: "{}").status == 201)
            #expect(try await api.send(.post, "/test/sales", colleague, body: "{}").status == 409)
            #expect(till.calls == 4)
        }
    }

    @Test("A call that failed leaves its key free", arguments: [500, 503, 422, 404])
    func failure(_ status: Int) async throws {
        try await withTill { api, till in
            let headers = try api.headers(APIHarness.principal(), Self.key)
            let error: any Error & Sendable =
                status == 500
                ? StorageError(.misuse, "defect") as any Error & Sendable
                : Problem(HTTPResponse.Status(code: status), "no")
            till.fail(with: error)
            #expect(try await api.send(.post, "/test/sales", headers, body: "{}").status == status)

            till.fail(with: nil)
            let again = try await api.send(.post, "/test/sales", headers, body: "{}")

            #expect(again.status == 201)
            #expect(again.json["call"] == .number("2"))
        }
    }

    @Test("While the first call runs, the same key is 409 with Retry-After", arguments: TestEngine.allCases)
    func concurrent(_ engine: TestEngine) async throws {
        try await withTill(engine) { api, till in
            let headers = try api.headers(APIHarness.principal(), Self.key)
            till.hold()
            async let first = api.send(.post, "/test/sales", headers, body: "{}")
            await till.arrival()

            let second = try await api.send(.post, "/test/sales", headers, body: "{}")
            till.release()

            #expect(second.status == 409)
            #expect(second.headers[.retryAfter] != nil)
            #expect(try await first.status == 201)
            #expect(till.calls == 1)
        }
    }

    @Test("After a day a key is free, and a janitor removes it", arguments: TestEngine.allCases)
    func expiry(_ engine: TestEngine) async throws {
        try await withTill(engine) { api, till in
            func call() async throws -> TestAnswer {
                try await api.send(.post, "/test/sales", try api.headers(APIHarness.principal(), Self.key), body: "{}")
            }
            _ = try await call()
            api.time.advance(by: .seconds(24 * 3600))
            #expect(try await call().json["call"] == .number("1"))
            #expect(try await api.dependencies.idempotency.removeExpired(limit: 10) == 0)

            api.time.advance(by: .seconds(1))
            #expect(try await call().json["call"] == .number("2"))
            api.time.advance(by: .seconds(24 * 3600 + 1))

            #expect(try await api.dependencies.idempotency.removeExpired(limit: 10) == 1)
        }
    }

    @Test("An answer that shows a secret is not readable in the store")
    func sealed() async throws {
        try await withAPI { api in
            let headers = try api.headers(APIHarness.principal(), Self.key)
            let body = "{\"label\":\"till\",\"role\":\"viewer\"}"
            let first = try await api.send(.post, "/api/v1/api-keys", headers, body: body)
            let again = try await api.send(.post, "/api/v1/api-keys", headers, body: body)

            let stored = try await api.database.read { transaction in
                try transaction.first("SELECT answer FROM idempotency") { $0.bytes(0) }
            }

            #expect(again.bytes == first.bytes)
            let text = try #require(first.json["key"]?.string)
            let kept = String(decoding: try #require(stored), as: UTF8.self)
            #expect(!kept.contains(text))
        }
    }

    @Test("A key of no characters or too many is refused", arguments: [0, 256])
    func length(_ count: Int) async throws {
        try await withTill { api, till in
            let key: HTTPFields = [.idempotencyKey: String(repeating: "k", count: count)]
            let answer = try await api.send(
                .post, "/test/sales", try api.headers(APIHarness.principal(), key), body: "{}")

            #expect(answer.status == 400)
            #expect(till.calls == 0)
        }
    }
}
