/// Where a delivery stands. The table of its moves is drawn in `docs/delivery-states.md`, which a test keeps equal.
///
/// Rows don't tell `pending` from `delivering` by name: a pending delivery with a claim number is being delivered,
/// until the claim's lease ends, and so is one that the process has leased in memory (`OwnLeases`).
package enum DeliveryState: String, Sendable, CaseIterable {
    case pending
    case delivering
    case delivered
    case failed
    case skipped

    /// What can happen to a delivery, in the words of the document.
    enum Move: String, CaseIterable {
        case claimed = "a copy leases it"
        case givenBack = "the copy gives it back, or its lease ends"
        case succeeded = "the endpoint answers 2xx within ten seconds"
        case putOff = "the attempt fails and the schedule has another one"
        case exhausted = "the attempt fails and the schedule has no other"
        case gone = "the endpoint answers 410"
        case subscriptionEnded = "the subscription is disabled or deleted"
        case replayCancelled = "the replay that it belongs to is cancelled"
    }

    /// Whether nothing moves it any more.
    var isFinal: Bool { DeliveryState.Move.allCases.allSatisfy { after($0) == nil } }

    /// Where the move leads; nil where it can't happen.
    func after(_ move: Move) -> DeliveryState? {
        switch (self, move) {
        case (.pending, .claimed): .delivering
        case (.delivering, .givenBack), (.delivering, .putOff): .pending
        case (.delivering, .succeeded): .delivered
        case (.delivering, .exhausted), (.delivering, .gone): .failed
        // One that is under way ends so too; what its attempt comes to is then not written down any more.
        case (.pending, .subscriptionEnded), (.delivering, .subscriptionEnded): .skipped
        case (.pending, .replayCancelled), (.delivering, .replayCancelled): .skipped
        default: nil
        }
    }

    /// The document: how a delivery begins, and a row for each state and move.
    static var document: String {
        var lines = [
            "# States of a delivery", "",
            "A delivery is born `pending`, or `skipped` where the subscription's filter refuses the event. This table",
            "is `DeliveryState.after`; a test compares the two and writes it when `TRADEWIND_WRITE_DOCS` is set.",
            "",
            "| state | what happens | next state |", "|---|---|---|",
        ]
        for state in DeliveryState.allCases {
            for move in Move.allCases {
                if let next = state.after(move) {
                    lines.append("| `\(state.rawValue)` | \(move.rawValue) | `\(next.rawValue)` |")
                }
            }
            if state.isFinal { lines.append("| `\(state.rawValue)` | nothing more | |") }
        }
        return (lines + [""]).joined(separator: "\n")
    }
}
