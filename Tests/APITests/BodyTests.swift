import HTTPTypes
import Hummingbird
import Kernel
import NIOCore
import TestSupport
import Testing

@testable import API

@Suite struct BodyTests {
    private static func mountEcho(_ router: Router<AppContext>) {
        router.post("/test/echo") { request, context in
            let bytes = try await context.body(of: request)
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }

    private func settings(limit: Int) -> APISettings {
        var settings = APISettings()
        settings.bodyBytesLimit = limit
        return settings
    }

    @Test("A body arrives byte for byte, in however many pieces it came", arguments: [0, 1, 40_000, 100_000])
    func whole(_ count: Int) async throws {
        try await withAPI(routes: { router, _ in Self.mountEcho(router) }) { api in
            let body = String(repeating: "\u{0}ä", count: count / 3)
            let answer = try await api.send(.post, "/test/echo", body: body)

            #expect(answer.status == 200)
            #expect(answer.bytes == Array(body.utf8))
        }
    }

    @Test("A body of the limit passes, one byte more is 413, announced or not")
    func limit() async throws {
        try await withAPI(settings: settings(limit: 1000), routes: { router, _ in Self.mountEcho(router) }) { api in
            let most = try await api.send(.post, "/test/echo", body: String(repeating: "a", count: 1000))
            let more = try await api.send(.post, "/test/echo", body: String(repeating: "a", count: 1001))

            #expect(most.status == 200)
            #expect(more.status == 413)
            #expect(more.json["limit"] == .number("1000"))
            #expect(more.headers[.connection] == "close")
        }
    }

    @Test("A body that is longer than announced, or has no length, is cut at the limit too")
    func streamed() async throws {
        let reader = BodyReader(limit: 10, watch: nil)
        let pieces = AsyncStream<ByteBuffer> { stream in
            for _ in 0..<3 { stream.yield(ByteBuffer(string: "12345")) }
            stream.finish()
        }
        let problem = await #expect(throws: Problem.self) {
            _ = try await reader.collect(RequestBody(asyncSequence: pieces), declared: nil)
        }

        #expect(problem?.status.code == 413)
    }

    @Test("A body that ends before its announced length is a 400, not a truncated document")
    func cutOff() async throws {
        let reader = BodyReader(limit: 100, watch: nil)

        let problem = await #expect(throws: Problem.self) {
            _ = try await reader.collect(RequestBody(buffer: ByteBuffer(string: "{}")), declared: 50)
        }

        #expect(problem?.status.code == 400)
    }

    @Test("An operator cannot allow more than the most that is safe")
    func most() {
        #expect(BodyReader(limit: Int.max, watch: nil).limit == Limits.bodyBytesMost)
    }

    @Test("Deadlines pass one by one, and a body that came in time leaves none behind")
    func deadlines() {
        func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }
        var deadlines = BodyDeadlines()
        let first = deadlines.begin(now: at(0), timeout: .seconds(20))
        let second = deadlines.begin(now: at(5), timeout: .seconds(20))
        let third = deadlines.begin(now: at(5), timeout: .seconds(20))

        #expect(deadlines.expire(now: at(19)).isEmpty)
        deadlines.end(third)
        #expect(deadlines.expire(now: at(20)) == [first])
        #expect(deadlines.expire(now: at(60)) == [second])
        #expect(deadlines.isEmpty)
    }
}
