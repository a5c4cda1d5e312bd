import Commerce
import Kernel

/// The tables of `tradewind dev`, as lines of plain text.
package enum DevelopmentReport {
    /// What was posted and what came of it.
    package struct Played: Sendable {
        /// The topic or event that the sender named; "ping" for a greeting.
        package let event: String
        package let note: String
        /// What the sender was told: `accepted`, `duplicate`, or the refusal.
        package let answer: String
        /// The inbox entry's state with its reason; empty when nothing was stored.
        package let outcome: String
        package let order: OrderID?

        package init(event: String, note: String, answer: String, outcome: String, order: OrderID?) {
            self.event = event
            self.note = note
            self.answer = answer
            self.outcome = outcome
            self.order = order
        }
    }

    /// One row for each delivery, in the order of posting, with the sender's answer and the inbox's verdict.
    package static func played(_ played: [Played]) -> [String] {
        table(
            "deliveries posted, and what the server said", ["event", "answer", "then", "what it is"],
            played.map { [$0.event, $0.answer, $0.outcome, $0.note] })
    }

    /// - Parameter played: tells which events each order came from.
    package static func orders(_ orders: [Order], told played: [Played]) -> [String] {
        table(
            "orders", ["order", "from", "status", "total", "lines matched", "told by"],
            orders.map { order in
                let events = played.filter { $0.order == order.id }.map(\.event)
                return [
                    order.externalID ?? order.id.description, order.sourcePlatform, order.status.rawValue,
                    "\(order.currency.code) \(order.total.decimalText)", matched(order), counted(events),
                ]
            })
    }

    /// One row for each delivery that came back out, in the order of arrival.
    package static func arrivals(_ arrivals: [Arrival]) -> [String] {
        table(
            "signed deliveries that the built-in receiver got", ["event", "about", "signatures", "after the POST"],
            arrivals.map { arrival in
                [
                    arrival.eventType, arrival.subject, arrival.isVerified ? "verified" : "NOT VERIFIED",
                    delay(arrival),
                ]
            })
    }

    /// The line for a delivery that comes while the server goes on.
    package static func line(_ arrival: Arrival) -> String {
        let clock = arrival.receivedAt.description.dropFirst(11)
        let verdict = arrival.isVerified ? "verified" : "NOT VERIFIED"
        return "\(clock)  \(cell(arrival.eventType))  \(cell(arrival.subject))  \(verdict)  \(delay(arrival))"
    }

    // MARK: Parts

    /// Such as `2 of 3, partial`; lines that the source dropped and fees don't count.
    package static func matched(_ order: Order) -> String {
        let items = order.lines.filter { $0.isItem && $0.quantityCurrent > 0 }
        return "\(items.count { $0.variant != nil }) of \(items.count), \(order.matchStatus.rawValue)"
    }

    private static func delay(_ arrival: Arrival) -> String {
        "\(arrival.delay.wholeMilliseconds) ms" + (arrival.isSincePost ? "" : " after the event")
    }

    /// Each name once, with how often it came.
    private static func counted(_ events: [String]) -> String {
        var names: [String] = []
        for event in events where !names.contains(event) { names.append(event) }
        return names.map { name in
            let count = events.count { $0 == name }
            return count == 1 ? name : "\(name) ×\(count)"
        }.joined(separator: ", ")
    }

    /// A heading and columns as wide as their widest cell.
    package static func table(_ heading: String, _ titles: [String], _ rows: [[String]]) -> [String] {
        let rows = [titles] + rows.map { $0.map(cell) }
        let widths = titles.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let line = "  " + cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        return [heading] + lines
    }

    /// Text of others without what a terminal would take for a command, and not without end.
    private static func cell(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: "?"
            default: Character(scalar)
            }
        }
        return scalars.count > 70 ? String(scalars.prefix(69)) + "…" : String(scalars)
    }
}
