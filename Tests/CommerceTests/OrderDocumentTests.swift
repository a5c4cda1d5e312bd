import Foundation
import Kernel
import Testing

@testable import Commerce

@Suite("The page on orders and stock")
struct OrderDocumentTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/orders-and-stock.md")

    private func rows() throws -> Set<String> {
        Set(try String(contentsOf: Self.page, encoding: .utf8).split(separator: "\n").map(String.init))
    }

    @Test("Its states are the machine's", arguments: OrderStatus.allCases)
    func states(_ state: OrderStatus) throws {
        let moves = state.nextStates.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        let none = state.isFinal ? "nothing: it is final" : "nothing: what comes back moves it"
        let row = "| `\(state.rawValue)` | \(moves.isEmpty ? none : moves) | \(state.stockHolding.rawValue) |"
        #expect(try rows().contains(row), "write \(row)")
    }

    @Test("What states do to stock is what the code does", arguments: StockHolding.allCases)
    func holdings(_ holding: StockHolding) throws {
        let row = "| \(holding.rawValue) | \(holding.summary) |"
        #expect(try rows().contains(row), "write \(row)")
    }

    @Test("It has no state that is none")
    func nothingElse() throws {
        let known = Set(OrderStatus.allCases.map(\.rawValue))
        let told = try rows().filter { $0.hasPrefix("| `") && $0.split(separator: "|").count == 3 }
            .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
            .filter { !$0.contains("/") && !$0.contains(" ") }
        #expect(Set(told) == known)
    }
}
