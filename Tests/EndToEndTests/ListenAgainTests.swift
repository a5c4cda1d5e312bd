import API
import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("tradewind listen before a hub that has had enough")
struct ListenAgainTests {
    private static let ids = [
        "0190a000-0000-7000-8000-000000000001", "0190a000-0000-7000-8000-000000000002",
        "0190a000-0000-7000-8000-000000000003",
    ]

    /// A stream that shows one event and ends.
    private static func stream(_ id: String) -> ReceiverServer.Reply {
        let event = #"{"id": "\#(id)", "event_type": "ticket.opened", "payload": {}}"#
        return .init(
            status: 200, headers: [.contentType: "text/event-stream"],
            body: Array("id: \(id)\ndata: \(event)\n\n".utf8))
    }

    private static func refusal(_ status: Int, _ headers: HTTPFields = [:]) -> ReceiverServer.Reply {
        .init(status: status, headers: headers, body: Array(#"{"detail": "Not now."}"#.utf8))
    }

    @Test("429 and 5xx are asked again behind what was shown, not before Retry-After; another refusal is the end")
    func again() async throws {
        let name = try #require(HTTPField.Name("Retry-After"))
        let replies = [
            Self.stream(Self.ids[1]), Self.refusal(429, [name: "3"]), Self.refusal(503), Self.stream(Self.ids[2]),
            Self.refusal(401),
        ]
        let asked = Recorder<(cursor: String?, at: ContinuousClock.Instant)>()
        let take: ReceiverServer.Taker = { request in
            asked.record((request.headers[.lastEventID], ContinuousClock.now))
            return replies[min(asked.elements.count, replies.count) - 1]
        }
        let outcome = try await ReceiverServer.run(take) { port in
            try await Program.run([
                "listen", "--json", "--since", Self.ids[0], "--hub", "http://127.0.0.1:\(port)", "--token", "t",
            ])
        }
        #expect(outcome.exit == .code(1))
        #expect(outcome.output.split(separator: "\n").count == 2, "\(outcome.output)")
        let calls = asked.elements
        #expect(calls.map(\.cursor) == [0, 1, 1, 1, 2].map { Self.ids[$0] })
        #expect(calls[1].at.duration(to: calls[2].at) >= .seconds(3))
        #expect(outcome.errors.contains("429: Not now.; again behind \(Self.ids[1]) in 3000 ms"), "\(outcome.errors)")
        #expect(outcome.errors.contains("503: Not now.; again behind \(Self.ids[1])"), "\(outcome.errors)")
        #expect(outcome.errors.contains("401: Not now."), "\(outcome.errors)")
    }

    @Test("A hub that refuses the first call has listen end, whatever it says of later")
    func first() async throws {
        let outcome = try await ReceiverServer.run({ _ in Self.refusal(429) }) { port in
            try await Program.run([
                "listen", "--since", Self.ids[0], "--hub", "http://127.0.0.1:\(port)", "--token", "t",
            ])
        }
        #expect(outcome.exit == .code(1))
        #expect(outcome.errors.contains("429: Not now."))
    }
}
