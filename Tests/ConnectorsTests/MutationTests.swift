import HTTPTypes
import Kernel
import TestSupport
import Testing

@testable import Connectors

/// Bodies that went wrong on the way or were made to hurt: each either translates or names its fault, and none crashes.
@Suite(.isLongWork) struct MutationTests {
    static let subjects = [
        ("unified", "unifiedto-order-created"), ("unified", "seed-order-updated"),
        ("woocommerce", "hook-order-refund-partial-order-updated"), ("woocommerce", "hook-burst-order-created"),
    ]

    /// What stands in for a member's value.
    static let nasty = [
        "null", "true", "\"\"", "\" \"", "[]", "{}", "[[]]", "[{}]", "[1,1]", "0", "-1", "1.5", "1e400", "-1e400",
        "1e-400", "9223372036854775807", "-9223372036854775808", "4611686018427387903", "46116860184273879.03",
        "-46116860184273879.03", "99999999999999999999", "1000000000", "\"1e999999\"", "\"74.999\"", "\"\\ud800\"",
        "\"\\u0000\"", "\"XXX\"", "\"2026-02-30T00:00:00Z\"", "\"KWD\"", "\"JPY\"",
        "\"" + String(repeating: "x", count: 5000) + "\"", "\"" + String(repeating: "9", count: 500) + "\"",
        String(repeating: "[", count: 70) + String(repeating: "]", count: 70),
    ]

    @Test("A body that is cut off anywhere is refused or parked", arguments: subjects)
    func cuts(provider: String, name: String) throws {
        let delivery = try RecordedDelivery.order(provider, name)
        let connector = try #require(ConnectorCatalog.connector(for: provider))
        let event = try #require(delivery.expected["event"]?.string)
        let end = try #require(delivery.body.lastIndex(of: UInt8(ascii: "}")))
        for length in 0...end {
            let body = Array(delivery.body[..<length])
            #expect(throws: Untranslatable.self) { try connector.order(from: body, event: event) }
            if provider == "unified" {
                #expect(throws: ArrivalRefusal.self) { try UnifiedEnvelope.scan(body) }
            }
        }
    }

    @Test("Flipped bytes never crash a connector", arguments: subjects)
    func flips(provider: String, name: String) throws {
        let delivery = try RecordedDelivery.order(provider, name)
        var random = SplitMix(state: 0x5EED)
        var outcomes: (translated: Int, parked: Int) = (0, 0)
        for _ in 0..<1500 {
            var body = delivery.body
            for _ in 0...Int(random.next() % 3) {
                body[Int(random.next() % UInt64(body.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if try outcome(of: body, delivery) { outcomes.translated += 1 } else { outcomes.parked += 1 }
        }
        #expect(outcomes.translated > 0)
        #expect(outcomes.parked > 0)
    }

    @Test("Any value in any place is translated or parked with its place", arguments: subjects)
    func replacedValues(provider: String, name: String) throws {
        let delivery = try RecordedDelivery.order(provider, name)
        let places = scalarValues(in: delivery.body)
        #expect(places.count > 20)
        for place in places {
            for value in MutationTests.nasty {
                var body = delivery.body
                body.replaceSubrange(place, with: Array(value.utf8))
                _ = try outcome(of: body, delivery)
            }
        }
    }

    /// True when it translates; false when it is refused or parked with a reason of bearable length.
    private func outcome(of body: [UInt8], _ delivery: RecordedDelivery) throws -> Bool {
        let connector = try #require(ConnectorCatalog.connector(for: delivery.provider))
        let event = try #require(delivery.expected["event"]?.string)
        do throws(Untranslatable) {
            let order = try connector.order(from: body, event: event)
            // Whatever a later step adds up, 64 bits hold it.
            let amounts = order.lines.map { line in
                line.unitPrice.minorUnits * line.quantity + line.total.minorUnits + line.tax.minorUnits
            }
            _ = amounts.reduce(0, +) + order.shipping.minorUnits + order.tax.minorUnits + order.discount.minorUnits
            #expect(!order.externalID.isEmpty)
            #expect(order.lines.allSatisfy { $0.quantity > 0 && !$0.key.isEmpty })
            #expect(order.refunds.allSatisfy { $0.amount.minorUnits > 0 })
            return true
        } catch {
            #expect(error.description.utf8.count < 400)
            #expect(!error.path.isEmpty && !error.path.hasPrefix("/") && !error.path.contains("//"))
            return false
        }
    }

    /// Where the numbers and texts stand that are values, found without the code under test.
    private func scalarValues(in body: [UInt8]) -> [Range<Int>] {
        var places: [Range<Int>] = []
        var at = 0
        while at < body.count {
            let start = at
            if body[at] == UInt8(ascii: "\"") {
                at += 1
                while body[at] != UInt8(ascii: "\"") { at += body[at] == UInt8(ascii: "\\") ? 2 : 1 }
                at += 1
                if at < body.count, body[at] != UInt8(ascii: ":") { places.append(start..<at) }
            } else if body[at] == UInt8(ascii: "-") || (48...57).contains(body[at]) {
                while !"},] \n".utf8.contains(body[at]) { at += 1 }
                places.append(start..<at)
            } else {
                at += 1
            }
        }
        return places
    }
}

/// A generator with a fixed seed (splitmix64), so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
