import Kernel
import Testing

@Suite struct OrderStatusTests {
    /// The moves as the seed's notes list them; a state that is not named on the left has none.
    private let moves = """
        draft→pending_payment|cancelled; pending_payment→payment_authorized|failed|cancelled; \
        payment_authorized→confirmed|failed|cancelled; confirmed→processing|cancelled; \
        processing→partially_fulfilled|fulfilled; partially_fulfilled→fulfilled; fulfilled→delivered|return_requested; \
        delivered→completed|return_requested; return_requested→partially_returned|returned; returned→refunded
        """

    @Test("The moves between order states are those of the seed, and no other")
    func table() throws {
        var expected: [String: [String]] = [:]
        for move in moves.split(separator: "; ") {
            let sides = move.split(separator: "→")
            expected[String(sides[0])] = sides[1].split(separator: "|").map(String.init)
        }
        #expect(expected.count == 10)

        for status in OrderStatus.allCases {
            #expect(status.nextStates.map(\.rawValue) == expected[status.rawValue] ?? [])
        }
    }

    @Test("A state without a move is final, but for that of goods of which some may still come back")
    func finalStates() {
        let names = OrderStatus.allCases.filter(\.isFinal).map(\.rawValue)
        #expect(names == ["completed", "refunded", "partially_refunded", "cancelled", "failed"])
        #expect(OrderStatus.partiallyReturned.nextStates.isEmpty)
    }

    @Test("The states are the sixteen of the seed")
    func states() {
        let names = """
            draft pending_payment payment_authorized confirmed processing partially_fulfilled fulfilled delivered \
            completed return_requested partially_returned returned refunded partially_refunded cancelled failed
            """
        #expect(OrderStatus.allCases.map(\.rawValue) == names.split(separator: " ").map(String.init))
    }
}
