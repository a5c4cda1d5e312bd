import Kernel

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

    package mutating func field(_ field: EventField, _ time: Timestamp?) { self.field(field, time?.description) }

    package mutating func field(_ field: EventField, _ money: Money?) {
        self.field(field) { writer in if let money { writer.raw(money.decimalText.utf8) } else { writer.null() } }
    }

    package mutating func field(_ field: EventField, _ number: Int64?) {
        self.field(field) { writer in if let number { writer.integer(number) } else { writer.null() } }
    }

    package mutating func field(_ field: EventField, _ flag: Bool) { self.field(field) { $0.bool(flag) } }

    package mutating func field(_ field: EventField, _ names: [String]) {
        self.field(field) { writer in writer.array { for name in names { $0.string(name) } } }
    }

    /// Writes an object. Of its fields only the public ones are written: what is not public stands beside it.
    package mutating func object(_ field: EventField, _ body: (inout ElementWriter) -> Void) {
        self.field(field) { writer in ElementWriter.write(to: &writer, body) }
    }

    /// Writes a list of objects. Of their fields only the public ones are written: a part of a list can't be withheld
    /// without losing which element it belongs to, so such a field belongs beside the list.
    package mutating func objects<Element>(
        _ field: EventField, _ elements: [Element], _ body: (inout ElementWriter, Element) -> Void
    ) {
        self.field(field) { writer in
            writer.array { array in
                for element in elements { ElementWriter.write(to: &array) { body(&$0, element) } }
            }
        }
    }

    /// Writes the public fields of an object inside a payload.
    package struct ElementWriter {
        private var writer: JSONWriter

        fileprivate static func write(to writer: inout JSONWriter, _ body: (inout ElementWriter) -> Void) {
            writer.object { object in
                // Moved there and back: a copy of all that is written so far, for each element, would make the time
                // of long lists quadratic.
                var inner = ElementWriter(writer: JSONWriter(reserving: 0))
                swap(&inner.writer, &object)
                body(&inner)
                swap(&inner.writer, &object)
            }
        }

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

        package mutating func field(_ field: EventField, _ time: Timestamp?) { self.field(field, time?.description) }

        package mutating func field(_ field: EventField, _ number: Int64?) {
            self.field(field) { writer in if let number { writer.integer(number) } else { writer.null() } }
        }

        package mutating func field(_ field: EventField, _ flag: Bool) { self.field(field) { $0.bool(flag) } }

        package mutating func field(_ field: EventField, _ money: Money?) {
            self.field(field) { writer in if let money { writer.raw(money.decimalText.utf8) } else { writer.null() } }
        }
    }
}
