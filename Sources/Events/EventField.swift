import Kernel

/// How far a field of a payload may travel (seed 003, "Payload Data & Privacy").
package enum Privacy: String, Sendable, CaseIterable {
    /// Identity, status, dates, relation ids, selling prices: leaves by push and feed.
    case `public`
    /// Contact details, margins, notes: only through the authenticated API.
    case confidential
    /// Credentials and the like: only for admins.
    case restricted
}

/// One field of a payload. It can't be written without a privacy class, because it can't be named without one.
package struct EventField: Hashable, Sendable {
    package let name: String
    package let privacy: Privacy
    package let summary: String

    package init(_ name: String, _ privacy: Privacy, _ summary: String) {
        self.name = name
        self.privacy = privacy
        self.summary = summary
    }
}

/// Writes a payload's fields, each to the side that its privacy class says: what leaves, and what is withheld.
package struct PayloadWriter {
    private var open = JSONWriter(reserving: 512)
    private var kept = JSONWriter(reserving: 64)
    private var hasKept = false

    /// Both sides of a payload. The second is nil when nothing is withheld.
    static func write(_ body: (inout PayloadWriter) -> Void) -> (payload: [UInt8], withheld: [UInt8]?) {
        // Both writers stand inside an object of their own, so each member is written as a list without braces.
        var writer = PayloadWriter()
        body(&writer)
        return (
            [UInt8(ascii: "{")] + writer.open.bytes + [UInt8(ascii: "}")],
            writer.hasKept ? [UInt8(ascii: "{")] + writer.kept.bytes + [UInt8(ascii: "}")] : nil
        )
    }

    /// Writes one field with whatever `value` writes.
    package mutating func field(_ field: EventField, _ value: (inout JSONWriter) -> Void) {
        if field.privacy == .public {
            open.key(field.name)
            value(&open)
        } else {
            hasKept = true
            kept.key(field.name)
            value(&kept)
        }
    }

    package mutating func field(_ field: EventField, _ text: String?) {
        self.field(field) { writer in if let text { writer.string(text) } else { writer.null() } }
    }

    package mutating func field<Kind>(_ field: EventField, _ id: ID<Kind>?) {
        self.field(field, id?.description)
    }

    package mutating func field(_ field: EventField, _ time: Timestamp) { self.field(field, time.description) }

    package mutating func field(_ field: EventField, _ money: Money) {
        self.field(field) { $0.raw(money.decimalText.utf8) }
    }

    package mutating func field(_ field: EventField, _ number: Int64) { self.field(field) { $0.integer(number) } }

    package mutating func field(_ field: EventField, _ names: [String]) {
        self.field(field) { writer in writer.array { for name in names { $0.string(name) } } }
    }

    /// Writes a list of objects. Of their fields only the public ones are written: a part of a list can't be withheld
    /// without losing which element it belongs to, so such a field belongs beside the list.
    package mutating func objects<Element>(
        _ field: EventField, _ elements: [Element], _ body: (inout ElementWriter, Element) -> Void
    ) {
        self.field(field) { writer in
            writer.array { array in
                for element in elements {
                    array.object { object in
                        // Moved there and back: a copy of all that is written so far, for each element, would make
                        // the time of long lists quadratic.
                        var inner = ElementWriter(writer: JSONWriter(reserving: 0))
                        swap(&inner.writer, &object)
                        body(&inner, element)
                        swap(&inner.writer, &object)
                    }
                }
            }
        }
    }

    /// Writes the public fields of one element of a list.
    package struct ElementWriter {
        fileprivate var writer: JSONWriter

        package mutating func field(_ field: EventField, _ value: (inout JSONWriter) -> Void) {
            guard field.privacy == .public else { return }
            writer.key(field.name)
            value(&writer)
        }

        package mutating func field(_ field: EventField, _ text: String?) {
            self.field(field) { writer in if let text { writer.string(text) } else { writer.null() } }
        }

        package mutating func field<Kind>(_ field: EventField, _ id: ID<Kind>?) {
            self.field(field, id?.description)
        }

        package mutating func field(_ field: EventField, _ number: Int64) { self.field(field) { $0.integer(number) } }

        package mutating func field(_ field: EventField, _ money: Money) {
            self.field(field) { $0.raw(money.decimalText.utf8) }
        }
    }
}
