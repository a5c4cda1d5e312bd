import Foundation
import Testing

@testable import Webhooks

@Suite("The states of a delivery")
struct DeliveryStateTests {
    @Test("The document shows the machine's own table")
    func document() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/delivery-states.md")
        if ProcessInfo.processInfo.environment["TRADEWIND_WRITE_DOCS"] != nil {
            try DeliveryState.document.write(to: path, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: path, encoding: .utf8)
        #expect(written == DeliveryState.document, "TRADEWIND_WRITE_DOCS=1 rewrites it")
    }

    @Test("delivered, failed and skipped are ends; from pending and delivering an end can be reached")
    func ends() {
        for state in DeliveryState.allCases {
            var (reached, open): (Set<DeliveryState>, [DeliveryState]) = ([], [state])
            while let next = open.popLast() {
                guard reached.insert(next).inserted else { continue }
                open += DeliveryState.Move.allCases.compactMap { next.after($0) }
            }
            #expect(state.isFinal == [.delivered, .failed, .skipped].contains(state))
            #expect(reached.contains { $0.isFinal })
        }
    }

    @Test("Only what is being delivered can be delivered or fail")
    func causes() {
        for state in DeliveryState.allCases where state != .delivering {
            for move in DeliveryState.Move.allCases {
                let next = state.after(move)
                #expect(next != .delivered && next != .failed)
            }
        }
    }
}
