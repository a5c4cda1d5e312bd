import Testing

@testable import API

@Suite struct DoorTurnTests {
    /// One thing that happens on a connection, and what the turn says to it.
    struct Step: Sendable, CustomTestStringConvertible {
        enum Event: Sendable { case taken, other, body, end, answered, routerAnswered, broken }
        let event: Event
        let action: DoorTurn.Action?
        var testDescription: String { "\(event)" }

        init(_ event: Event, _ action: DoorTurn.Action? = nil) {
            self.event = event
            self.action = action
        }
    }

    private static let stories: [String: [Step]] = [
        "a request of the door is collected and taken": [
            Step(.taken, .collect), Step(.body, .collect), Step(.end, .take), Step(.answered),
            Step(.taken, .collect),
        ],
        "another request goes to the router": [Step(.other, .pass), Step(.body, .pass), Step(.end, .pass)],
        "a request of the door behind one that has no answer yet goes to the router too": [
            Step(.other, .pass), Step(.end, .pass), Step(.taken, .pass), Step(.body, .pass), Step(.end, .pass),
            Step(.routerAnswered), Step(.routerAnswered), Step(.taken, .collect),
        ],
        "what follows a request of the door waits for its answer": [
            Step(.taken, .collect), Step(.end, .take), Step(.other, .hold), Step(.body, .hold), Step(.end, .hold),
            Step(.taken, .hold), Step(.answered), Step(.other, .pass),
        ],
        "a request that breaks off is answered, and nothing more of it is collected": [
            Step(.taken, .collect), Step(.body, .collect), Step(.broken), Step(.body, .hold), Step(.end, .hold),
        ],
    ]

    @Test("Answers keep the order of their requests", arguments: stories.keys.sorted())
    func story(name: String) throws {
        var turn = DoorTurn()
        for (index, step) in try #require(Self.stories[name]).enumerated() {
            switch step.event {
            case .taken: #expect(turn.head(isTaken: true) == step.action, "step \(index)")
            case .other: #expect(turn.head(isTaken: false) == step.action, "step \(index)")
            case .body: #expect(turn.body() == step.action, "step \(index)")
            case .end: #expect(turn.end() == step.action, "step \(index)")
            case .answered: turn.answered()
            case .routerAnswered: turn.routerAnswered()
            case .broken: turn.breakOff()
            }
        }
    }
}
