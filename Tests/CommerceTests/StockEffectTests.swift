import Kernel
import TestSupport
import Testing

@testable import Commerce

@Suite("What an order holds of the stock")
struct StockEffectTests {
    private static let variant = VariantID(high: 7, low: 7)
    private static let place = LocationID(high: 8, low: 8)

    /// An order of one line with five pieces ordered and some of them sent and returned.
    private func order(
        _ status: OrderStatus, current: Int64 = 5, sent: Int64 = 0, back: Int64 = 0, key: String = "1"
    ) throws -> Order {
        let told = snapshot("a", status: status, lines: [line(key, 5)])
        let arrival = OrderMerge.Arrival(
            id: OrderID(high: 5, low: 5), scope: Shop.scope, idempotencyKey: "k", connection: Shop.connection,
            channel: "c", sourcePlatform: "c", inbox: nil, snapshot: told,
            matches: [MatchedVariant(variant: Self.variant, how: .sku)])
        guard case .create(var order) = OrderMerge.decide(arrival, stored: nil, now: moment(0)) else {
            throw Unexpected()
        }
        order.lines[0].location = Self.place
        order.lines[0].quantityCurrent = current
        order.lines[0].quantityShipped = sent
        order.lines[0].quantityReturned = back
        return order
    }

    private struct Unexpected: Error {}

    private func held(_ order: Order) -> Balance {
        StockEffect.held(by: order)[StockEffect.Spot(variant: Self.variant, location: Self.place)] ?? Balance()
    }

    struct Case: Sendable {
        let status: OrderStatus
        let parts: (current: Int64, sent: Int64, back: Int64)
        let onHand: Int64
        let reserved: Int64

        init(_ status: OrderStatus, _ parts: (Int64, Int64, Int64), _ onHand: Int64, _ reserved: Int64) {
            self.status = status
            self.parts = parts
            self.onHand = onHand
            self.reserved = reserved
        }
    }

    static let cases: [Case] = [
        Case(.draft, (5, 0, 0), 0, 0), Case(.pendingPayment, (5, 0, 0), 0, 5),
        Case(.paymentAuthorized, (5, 0, 0), 0, 5), Case(.confirmed, (5, 0, 0), 0, 5),
        Case(.processing, (5, 0, 0), 0, 5), Case(.processing, (5, 2, 0), -2, 3),
        Case(.partiallyFulfilled, (5, 2, 0), -2, 3), Case(.partiallyFulfilled, (1, 2, 0), -2, 0),
        Case(.fulfilled, (5, 0, 0), -5, 0), Case(.delivered, (5, 5, 0), -5, 0), Case(.completed, (3, 0, 0), -3, 0),
        Case(.completed, (3, 5, 0), -5, 0), Case(.returnRequested, (5, 5, 0), -5, 0),
        Case(.partiallyReturned, (5, 5, 2), -3, 0), Case(.partiallyReturned, (5, 0, 2), -3, 0),
        Case(.partiallyRefunded, (5, 0, 0), -5, 0), Case(.returned, (5, 5, 5), 0, 0), Case(.returned, (5, 0, 0), 0, 0),
        Case(.refunded, (5, 5, 0), 0, 0), Case(.cancelled, (5, 0, 0), 0, 0), Case(.cancelled, (5, 2, 0), -2, 0),
        Case(.cancelled, (5, 2, 2), 0, 0), Case(.failed, (5, 0, 0), 0, 0),
    ]

    @Test("It follows from the state and from what was sent and came back", arguments: cases)
    func holding(_ row: Case) throws {
        let order = try order(row.status, current: row.parts.current, sent: row.parts.sent, back: row.parts.back)
        #expect(held(order) == Balance(onHand: row.onHand, reserved: row.reserved))
    }

    @Test("Fees, hand-written lines, unmatched ones and those without a place hold nothing")
    func nothing() throws {
        #expect(StockEffect.held(by: try order(.processing, key: "fee:1")).isEmpty)
        #expect(StockEffect.held(by: try order(.processing, key: "custom:1")).isEmpty)
        var order = try order(.processing)
        order.lines[0].location = nil
        #expect(StockEffect.held(by: order).isEmpty)
        order.lines[0].location = Self.place
        order.lines[0].variant = nil
        #expect(StockEffect.held(by: order).isEmpty)
    }

    @Test("Sending is one move of both numbers, and its reason says which way goods went")
    func reasons() throws {
        func move(_ from: Order?, _ to: Order) -> StockEffect.Move? { StockEffect.moves(from: from, to: to).first }
        let (placed, sent) = (try order(.processing), try order(.fulfilled, sent: 5))
        let (back, cancelled) = (try order(.returned, sent: 5, back: 5), try order(.cancelled))
        #expect(move(nil, placed)?.delta == Balance(reserved: 5) && move(nil, placed)?.reason == .reservation)
        #expect(move(placed, sent)?.delta == Balance(onHand: -5, reserved: -5) && move(placed, sent)?.reason == .sale)
        #expect(move(sent, back)?.delta == Balance(onHand: 5) && move(sent, back)?.reason == .returned)
        #expect(move(placed, cancelled)?.delta == Balance(reserved: -5))
        #expect(move(placed, placed) == nil)
    }

    @Test("Whatever states lie between, the moves add up to what the last one holds", arguments: UInt64(1)...40)
    func path(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var last: Order?
        var sum = Balance()
        for _ in 0..<20 {
            let sent = Int64.random(in: 0...5, using: &random)
            let next = try order(
                try #require(OrderStatus.allCases.randomElement(using: &random)),
                current: .random(in: 0...5, using: &random), sent: sent, back: .random(in: 0...5, using: &random))
            for move in StockEffect.moves(from: last, to: next) { sum += move.delta }
            #expect(sum == held(next), "seed \(seed)")
            #expect(sum.reserved >= 0 && sum.onHand <= 0, "seed \(seed)")
            last = next
        }
    }

    @Test("Two lines of one variant move its level once; another variant lies elsewhere")
    func shared() throws {
        var order = try order(.processing)
        order.lines.append(order.lines[0])
        #expect(held(order) == Balance(reserved: 10))
        #expect(StockEffect.moves(from: nil, to: order).count == 1)
        var other = order
        other.lines[1].variant = VariantID(high: 7, low: 8)
        #expect(StockEffect.moves(from: order, to: other).map(\.delta.reserved).sorted() == [-5, 5])
    }
}
