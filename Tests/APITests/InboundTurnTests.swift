import Testing

@testable import API

@Suite struct InboundTurnTests {
    /// One thing that happens on a connection, and what the turn says to it.
    struct Step: Sendable, CustomTestStringConvertible {
        enum Event: Sendable { case delivery, other, body, end, answered, routerAnswered, broken }
        let event: Event
        let action: InboundTurn.Action?
        var testDescription: String { "\(event)" }

        init(_ event: Event, _ action: InboundTurn.Action? = nil) {
            self.event = event
            self.action = action
        }
    }

    private static let stories: [String: [Step]] = [
        "a delivery is collected and stored": [
            Step(.delivery, .collect), Step(.body, .collect), Step(.end, .store), Step(.answered),
            Step(.delivery, .collect),
        ],
        "another request goes to the router": [Step(.other, .pass), Step(.body, .pass), Step(.end, .pass)],
        "a delivery behind a request that has no answer yet goes to the router too": [
            Step(.other, .pass), Step(.end, .pass), Step(.delivery, .pass), Step(.body, .pass), Step(.end, .pass),
            Step(.routerAnswered), Step(.routerAnswered), Step(.delivery, .collect),
        ],
        "what follows a delivery waits for its answer": [
            Step(.delivery, .collect), Step(.end, .store), Step(.other, .hold), Step(.body, .hold), Step(.end, .hold),
            Step(.delivery, .hold), Step(.answered), Step(.other, .pass),
        ],
        "a delivery that breaks off is answered, and nothing more of it is collected": [
            Step(.delivery, .collect), Step(.body, .collect), Step(.broken), Step(.body, .hold), Step(.end, .hold),
        ],
    ]

    @Test("Answers keep the order of their requests", arguments: stories.keys.sorted())
    func story(name: String) throws {
        var turn = InboundTurn()
        for (index, step) in try #require(Self.stories[name]).enumerated() {
            switch step.event {
            case .delivery: #expect(turn.head(isDelivery: true) == step.action, "step \(index)")
            case .other: #expect(turn.head(isDelivery: false) == step.action, "step \(index)")
            case .body: #expect(turn.body() == step.action, "step \(index)")
            case .end: #expect(turn.end() == step.action, "step \(index)")
            case .answered: turn.answered()
            case .routerAnswered: turn.routerAnswered()
            case .broken: turn.breakOff()
            }
        }
    }
}
