/// Writes JSON straight into bytes. Commas are set by the writer; nesting is the caller's, through closures.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    // MARK: Containers

    /// Writes an object whose members the closure writes.
    package mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
        try body(&self)
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Writes an array whose elements the closure writes.
    package mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
        try body(&self)
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// The name of the member that is written next.
    package mutating func key(_ name: String) {
        separate()
        appendString(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    package mutating func null() { literal("null") }
    package mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }

    /// Writes a whole number, of any width.
    package mutating func integer(_ value: some BinaryInteger) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
        needsComma = true
    }

    /// Writes a text with quotes and escapes.
    package mutating func string(_ text: String) {
        separate()
        appendString(text)
        needsComma = true
    }

    /// Writes an identifier with quotes, without a text of its own in between.
    package mutating func uuid(_ high: UInt64, _ low: UInt64) {
        quoted(IDText.count) { IDText.write(high, low, to: $0) }
    }

    /// Writes an instant with quotes, as its description tells it.
    package mutating func time(_ time: Timestamp) { quoted(Timestamp.textCount) { time.writeText(to: $0) } }

    /// Writes bytes that already are one JSON value.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// Writes a tree; numbers keep their digits.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .number(let text): raw(text.utf8)
        case .string(let text): string(text)
        case .array(let items): array { writer in for item in items { writer.value(item) } }
        case .object(let object): object.members.isEmpty ? raw("{}".utf8) : write(object)
        }
    }

    private mutating func write(_ object: JSONObject) {
        self.object { writer in
            for member in object.members {
                writer.key(member.name)
                writer.value(member.value)
            }
        }
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    /// Writes so many characters that need no escapes.
    private mutating func quoted(_ count: Int, _ write: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
        separate()
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count + 2) { out in
            out[0] = UInt8(ascii: "\"")
            write(UnsafeMutableBufferPointer(rebasing: out[1...count]))
            out[count + 1] = UInt8(ascii: "\"")
            bytes.append(contentsOf: UnsafeBufferPointer(out))
        }
        needsComma = true
    }

    private mutating func appendString(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { appendEscaped($0) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Copies runs of bytes that stand for themselves at once.
    private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        var runStart = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { continue }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart..<index]))
            runStart = index + 1
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: [0x5C, 0x22])
            case UInt8(ascii: "\\"): bytes.append(contentsOf: [0x5C, 0x5C])
            case 0x0A: bytes.append(contentsOf: [0x5C, UInt8(ascii: "n")])
            case 0x0D: bytes.append(contentsOf: [0x5C, UInt8(ascii: "r")])
            case 0x09: bytes.append(contentsOf: [0x5C, UInt8(ascii: "t")])
            default:
                bytes.append(contentsOf: [0x5C, UInt8(ascii: "u"), 48, 48, hexDigit(byte >> 4), hexDigit(byte & 15)])
            }
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart...]))
    }
}

// MARK: - Members

extension JSONWriter {
    package mutating func field(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    package mutating func field(_ name: String, _ text: String?) {
        key(name)
        if let text { string(text) } else { null() }
    }

    package mutating func field(_ name: String, _ value: some BinaryInteger) {
        key(name)
        integer(value)
    }

    package mutating func field(_ name: String, _ value: (some BinaryInteger)?) {
        key(name)
        if let value { integer(value) } else { null() }
    }

    package mutating func field(_ name: String, _ flag: Bool) {
        key(name)
        bool(flag)
    }

    @inlinable
    package mutating func field<Kind>(_ name: String, _ id: ID<Kind>) {
        key(name)
        uuid(id.high, id.low)
    }

    @inlinable
    package mutating func field<Kind>(_ name: String, _ id: ID<Kind>?) {
        key(name)
        if let id { uuid(id.high, id.low) } else { null() }
    }

    package mutating func field(_ name: String, _ time: Timestamp) {
        key(name)
        self.time(time)
    }

    package mutating func field(_ name: String, _ time: Timestamp?) {
        key(name)
        if let time { self.time(time) } else { null() }
    }

    /// Money as a JSON number in major units, from its digits.
    package mutating func field(_ name: String, _ money: Money) {
        key(name)
        raw(money.decimalText.utf8)
    }

    package mutating func field(_ name: String, _ value: JSONValue) {
        key(name)
        self.value(value)
    }

    /// A member whose value is an object that the closure fills.
    package mutating func objectField<E: Error>(_ name: String, _ body: (inout JSONWriter) throws(E) -> Void) throws(E)
    {
        key(name)
        try object(body)
    }

    /// A member whose value is an array that the closure fills.
    package mutating func arrayField<E: Error>(_ name: String, _ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        key(name)
        try array(body)
    }

    /// A tree as bytes.
    package static func bytes(of value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }

    /// One object as bytes.
    package static func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) -> [UInt8] {
        var writer = JSONWriter()
        try writer.object(body)
        return writer.bytes
    }
}
