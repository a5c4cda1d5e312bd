/// A JSON text as a tree. Numbers keep their digits: nothing here goes through binary floating point.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number exactly as it was written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    package var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The digits of a number, or of a text that stands where a number is expected (WooCommerce writes both).
    package var decimalText: String? {
        switch self {
        case .number(let text), .string(let text): text
        default: nil
        }
    }

    /// A whole number; nil for fractions, for numbers beyond 64 bits and for texts.
    package var integer: Int64? {
        guard case .number(let text) = self else { return nil }
        return DecimalDigits(text)?.integer(scaledBy: 0)
    }

    /// An identifier of another system, which is opaque text to us whether it came as text or as a number.
    package var identifier: String? {
        switch self {
        case .string(let text) where !text.isEmpty: text
        case .number(let text): text
        default: nil
        }
    }

    /// The member of an object; nil for every other kind of value.
    package subscript(key: String) -> JSONValue? { object?[key] }

    /// What kind of value this is, in the words of an error message.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a text"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// The members of a JSON object in the order they were written. No name stands in it twice: the parser refuses that.
package struct JSONObject: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var members: [Member]

    /// The names have to differ.
    package init(members: [Member]) { self.members = members }

    package static let empty = JSONObject(members: [])

    /// Objects on the wire have tens of members, where a walk is faster than hashing.
    package subscript(name: String) -> JSONValue? {
        for member in members where member.name == name { return member.value }
        return nil
    }
}

/// Why bytes are not the JSON that was asked for; the description is fit for an answer.
package struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    package enum Fault: Equatable, Sendable {
        case empty
        case unexpected(UInt8)
        case cutOff
        case trailing
        case badNumber
        case badEscape
        case controlCharacter
        case badUTF8
        case tooDeep(Int)
        case duplicateName(String)
        case notAnObject
    }

    package let fault: Fault
    /// Bytes before the place where reading stopped.
    package let offset: Int

    package var description: String {
        switch fault {
        case .empty: "the body is empty"
        case .unexpected(let byte):
            (0x21...0x7E).contains(byte)
                ? "unexpected \"\(Unicode.Scalar(byte))\" at byte \(offset)"
                : "unexpected byte 0x\(hexText([byte])) at byte \(offset)"
        case .cutOff: "the text ends in the middle of a value, at byte \(offset)"
        case .trailing: "there is more after the end of the value, at byte \(offset)"
        case .badNumber: "malformed number at byte \(offset)"
        case .badEscape: "malformed escape in a text at byte \(offset)"
        case .controlCharacter: "unescaped control character in a text at byte \(offset)"
        case .badUTF8: "the text is not UTF-8 at byte \(offset)"
        case .tooDeep(let limit): "nested deeper than \(limit) levels at byte \(offset)"
        case .duplicateName(let name): "the name \"\(name.prefix(60))\" stands twice in one object, at byte \(offset)"
        case .notAnObject: "the body is not a JSON object"
        }
    }
}
