import Events
import Kernel
import Server
import Synchronization

@testable import Commerce

enum DevelopmentSamples {
    static let yen = Money(minorUnits: 6440, currency: jpy)
    private static let jpy = Currency(code: "JPY") ?? .usd
    private static let then = Timestamp(milliseconds: 1_795_224_546_000)

    static func line(_ key: String, _ match: LineMatch, current: Int64) -> OrderLine {
        let isMatched = match == .sku
        return OrderLine(
            key: key, itemID: nil, sku: "A", title: "A", variant: isMatched ? ID(high: 1, low: 1) : nil, match: match,
            quantityOrdered: 1, quantityCurrent: current, quantityFulfilled: 0, unitPrice: .zero(jpy),
            total: .zero(jpy), tax: .zero(jpy))
    }

    static func order(lines: [LineMatch]) -> Order {
        Order(
            id: ID(high: 1, low: 2), scope: Scope(tenant: ID(high: 1, low: 3), organisation: ID(high: 1, low: 4)),
            idempotencyKey: "a", connection: nil, externalID: "39", channel: "woocommerce",
            sourcePlatform: "woocommerce", status: .processing, sourceStatus: nil, currency: jpy,
            lines: lines.enumerated().map { line(String($0), $1, current: 1) }, adjustments: [], discount: .zero(jpy),
            shipping: .zero(jpy), tax: .zero(jpy), total: yen, customer: .init(externalID: nil, name: nil, email: nil),
            sourceVersion: nil, inbox: nil, placedAt: then, version: 1, createdAt: then, updatedAt: then)
    }

    static func arrival(isVerified: Bool, isSincePost: Bool) -> Arrival {
        Arrival(
            receivedAt: then, eventType: "order.created", subject: "39", isVerified: isVerified,
            delay: .microseconds(12_900), isSincePost: isSincePost)
    }

    /// Everything that is written while two steps are done.
    static func progress(isTerminal: Bool) -> String {
        let written = Writing()
        let output = DevelopmentOutput(isTerminal: isTerminal) { text in written.append(text) }
        for done in 0...2 { output.progress("playing", done, of: 2, last: "step \(done)") }
        return written.text
    }
}

/// Collects text.
final class Writing: Sendable {
    private let state = Mutex("")

    var text: String { state.withLock { $0 } }

    func append(_ more: String) { state.withLock { $0 += more } }
}
