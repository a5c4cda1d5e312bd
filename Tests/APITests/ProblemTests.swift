import API
import HTTPTypes
import Hummingbird
import Kernel
import Storage
import Testing

@Suite struct ProblemTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let error: any Error
        let status: Int?
        var testDescription: String { "\(error)" }
    }

    @Test(
        "Each error becomes the status that its meaning asks for, and defects become none",
        arguments: [
            Case(error: Refusal(.malformed, "m"), status: 400),
            Case(error: Refusal(.unauthenticated, "u"), status: 401),
            Case(error: Refusal(.forbidden, "f"), status: 403), Case(error: Refusal.notFound("order"), status: 404),
            Case(error: Refusal.conflict("c"), status: 409), Case(error: Refusal(.gone, "g"), status: 410),
            Case(error: Refusal(.invalid, "i"), status: 422), Case(error: Refusal(.tooMany, "t"), status: 429),
            Case(error: Refusal(.unavailable, "a"), status: 503),
            Case(error: InvalidDocument(pointer: "/a", detail: "is required"), status: 422),
            Case(error: StorageError(.unavailable, "disk full"), status: 503),
            Case(error: StorageError(.conflict, "lost"), status: 503),
            Case(error: StorageError(.constraint(name: "x"), "x"), status: nil),
            Case(error: StorageError(.corrupt, "x"), status: nil), Case(error: StorageError(.misuse, "x"), status: nil),
            Case(error: HTTPError(.notFound), status: 404), Case(error: HTTPError(.contentTooLarge), status: 413),
            Case(error: CancellationError(), status: 503), Case(error: Unknown(), status: nil),
        ])
    func mapping(_ given: Case) {
        let problem = Problem(given.error)

        #expect(problem?.status.code == given.status)
        if given.status == 503 || given.status == 429 { #expect(problem?.headers[.retryAfter] != nil) }
    }

    private struct Unknown: Error {}

    @Test("A problem carries the members of RFC 9457, the sentence, the bad fields and the request id")
    func members() async throws {
        try await withAPI(routes: { router, _ in
            router.post("/test/read") { request, context in
                let name = try await context.read(request) { reader in
                    _ = reader.integer("count", in: 1...5)
                    return reader.requiredString("name")
                }
                return JSONResponse { writer in writer.field("name", name) }
            }
        }) { api in
            let answer = try await api.send(
                .post, "/test/read", [.requestID: "mine-1"], body: "{\"count\": 9, \"more\": 1}")

            #expect(answer.status == 422)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(answer.json["type"] == .string("about:blank"))
            #expect(answer.json["title"] == .string("Unprocessable Content"))
            #expect(answer.json["status"] == .number("422"))
            #expect(answer.json["request_id"] == .string("mine-1"))
            #expect(answer.sentence == "Some fields are not valid.")
            let pointers = answer.json["errors"]?.array?.compactMap { $0["pointer"]?.string }
            #expect(pointers?.sorted() == ["/count", "/more", "/name"])
        }
    }

    @Test(
        "A body that is no JSON is answered 400 with the place where reading stopped",
        arguments: ["", "{", "{\"a\":}"])
    func syntax(_ body: String) async throws {
        try await withAPI(routes: { router, _ in
            router.post("/test/json") { request, context in
                _ = try await context.json(of: request)
                return JSONResponse { _ in }
            }
        }) { api in
            let answer = try await api.send(.post, "/test/json", body: body)

            #expect(answer.status == 400)
            #expect(answer.sentence?.hasPrefix("The body is not valid JSON") == true)
        }
    }

    @Test("A defect is answered with the request id and nothing of itself")
    func defect() async throws {
        try await withAPI(routes: { router, _ in
            router.get("/test/defect") { _, _ -> Response in throw StorageError(.misuse, "secret words of the engine") }
        }) { api in
            let answer = try await api.send(.get, "/test/defect")

            #expect(answer.status == 500)
            #expect(!answer.text.contains("secret words"))
            #expect(answer.json["request_id"]?.string == answer.headers[.requestID])
        }
    }

    @Test("An unknown route is a 404 problem, a known route with another method a 405 that names the right ones")
    func routes() async throws {
        try await withAPI { api in
            let unknown = try await api.send(.get, "/nowhere")
            let other = try await api.send(.delete, "/healthz")

            #expect(unknown.status == 404)
            #expect(unknown.sentence == "There is no such route.")
            #expect(other.status == 405)
            #expect(other.headers[.allow] == "GET, HEAD")
            #expect(other.json["status"] == .number("405"))
        }
    }

    @Test("A sane request id of the caller is kept; another is replaced", arguments: ["a b", "", "x;y", "\u{1F600}"])
    func requestID(_ bad: String) async throws {
        try await withAPI { api in
            let kept = try await api.send(.get, "/healthz", [.requestID: "trace-7.a_B"])
            let replaced = try await api.send(.get, "/healthz", [.requestID: bad])
            let long = try await api.send(.get, "/healthz", [.requestID: String(repeating: "a", count: 129)])

            #expect(kept.headers[.requestID] == "trace-7.a_B")
            #expect(replaced.headers[.requestID]?.utf8.count == 36)
            #expect(long.headers[.requestID]?.utf8.count == 36)
        }
    }
}
