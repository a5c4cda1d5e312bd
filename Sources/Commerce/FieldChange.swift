import Kernel

/// What a PATCH says of one field: nothing (the field is missing), to empty it (null), or its new value.
package enum FieldChange<Value: Sendable & Equatable>: Sendable, Equatable {
    case keep
    case clear
    case set(Value)

    func applied(to old: Value?) -> Value? {
        switch self {
        case .keep: old
        case .clear: nil
        case .set(let value): value
        }
    }
}

extension FieldReader {
    /// Reads a field whose null empties it. `read` answers nil after it has noted a fault.
    func change<Value>(_ name: String, _ read: (String) -> Value?) -> FieldChange<Value> {
        guard value(name) != nil else { return isPresent(name) ? .clear : .keep }
        return read(name).map { .set($0) } ?? .keep
    }

    /// A text that null empties. One that is blank is a fault: it would look like a value and hold none.
    func textChange(_ name: String, upTo limit: Int) -> FieldChange<String> {
        change(name) { name in
            guard let text = string(name, upTo: limit) else { return nil }
            if text.allSatisfy(\.isWhitespace) { fault(name, "must not be blank; null empties it") }
            return text
        }
    }

    /// A code without the white space that spreadsheets leave around codes; nil when absent.
    func code(_ name: String, upTo limit: Int = 200) -> String? {
        guard let code = string(name, upTo: limit)?.trimmed else { return nil }
        if code.isEmpty { fault(name, "must not be blank") }
        return code
    }

    /// A code that null empties.
    func codeChange(_ name: String, upTo limit: Int = 200) -> FieldChange<String> {
        change(name) { code($0, upTo: limit) }
    }

    /// An address of the web, of which only the form is looked at: nothing here calls it.
    func addressChange(_ name: String) -> FieldChange<String> {
        change(name) { name in
            guard let text = string(name, upTo: Limits.addressCharacters) else { return nil }
            if !WebAddress.isOne(text) { fault(name, "must be an address that begins with https:// or http://") }
            return text
        }
    }
}

/// The form of an address that people and crawlers open.
enum WebAddress {
    static func isOne(_ text: String) -> Bool {
        let rest =
            if text.hasPrefix("https://") { text.dropFirst(8) } else if text.hasPrefix("http://") {
                text.dropFirst(7)
            } else { text.prefix(0) }
        guard let first = rest.first, first != "/", first != "?", first != "#" else { return false }
        return rest.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "<") }
    }
}
