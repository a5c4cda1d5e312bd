/// One thing that is wrong with a document, named by its JSON pointer (RFC 6901).
package struct FieldFault: Hashable, Sendable {
    package let pointer: String
    package let detail: String

    package init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

/// All that is wrong with a document, so that a caller can mend everything at once.
package struct InvalidDocument: Error, Equatable, Sendable, CustomStringConvertible {
    package let faults: [FieldFault]

    package init(_ faults: [FieldFault]) { self.faults = faults }
    package init(pointer: String, detail: String) { faults = [FieldFault(pointer: pointer, detail: detail)] }

    package var description: String {
        faults.map { "\($0.pointer.isEmpty ? "document" : $0.pointer): \($0.detail)" }.joined(separator: "; ")
    }
}

/// Reads the members of a JSON object, collects every fault with its pointer, and names members that nobody asked for.
package final class FieldReader {
    private let object: JSONObject
    private let pointer: String
    /// For each member, in their order, whether it was asked for.
    private var isAsked: [Bool]
    private(set) var faults: [FieldFault] = []

    package init(_ object: JSONObject, pointer: String = "") {
        self.object = object
        self.pointer = pointer
        isAsked = Array(repeating: false, count: object.members.count)
    }

    /// Reads a body; anything but an object is the one fault that ends reading at once.
    package static func read<T>(_ value: JSONValue, _ body: (FieldReader) throws -> T) throws -> T {
        guard let object = value.object else {
            throw InvalidDocument(pointer: "", detail: "must be an object, not \(value.kind)")
        }
        let reader = FieldReader(object)
        let result = try body(reader)
        try reader.finish()
        return result
    }

    /// Throws what has been collected, unknown members included.
    package func finish() throws {
        for (member, isAsked) in zip(object.members, isAsked) where !isAsked {
            fault(member.name, "is not a field of this document")
        }
        if !faults.isEmpty { throw InvalidDocument(faults) }
    }

    /// Notes what is wrong with a member; reading goes on, so that all faults are told at once.
    package func fault(_ name: String, _ detail: String) { fault(at: [name], detail) }

    /// A fault inside a member, told with the names and indices that lead to it, the member's own first.
    package func fault(at path: [String], _ detail: String) {
        let escaped = path.map { name in
            name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
        }
        faults.append(FieldFault(pointer: "\(pointer)/\(escaped.joined(separator: "/"))", detail: detail))
    }

    /// The member as it stands; JSON's null counts as absent.
    package func value(_ name: String) -> JSONValue? {
        guard let index = object.members.firstIndex(where: { $0.name == name }) else { return nil }
        isAsked[index] = true
        let value = object.members[index].value
        return value == .null ? nil : value
    }

    /// Whether the member is named at all, be it with null: what is asked for the difference between "leave" and
    /// "empty".
    package func isPresent(_ name: String) -> Bool { object[name] != nil }

    /// A text; nil when absent. Another type, or more characters than `limit`, is a fault.
    package func string(_ name: String, upTo limit: Int = Limits.textCharacters) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else {
            fault(name, "must be a text, not \(value.kind)")
            return nil
        }
        guard text.unicodeScalars.count <= limit else {
            fault(name, "is longer than \(limit) characters")
            return nil
        }
        return text
    }

    /// A text that must be there and not be blank.
    package func requiredString(_ name: String, upTo limit: Int = Limits.textCharacters) -> String {
        let before = faults.count
        let text = string(name, upTo: limit)
        if faults.count == before, text?.allSatisfy(\.isWhitespace) ?? true { fault(name, "is required") }
        return text ?? ""
    }

    /// A whole number of the range; nil when absent. A fraction or another type is a fault.
    package func integer(_ name: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let value = value(name) else { return nil }
        guard let number = value.integer, range.contains(number) else {
            fault(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// True or false; nil when absent. Texts such as "true" are faults.
    package func bool(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        if value.bool == nil { fault(name, "must be true or false") }
        return value.bool
    }

    /// An identifier as UUID or ULID; nil when absent, a fault when it is neither.
    package func id<Kind>(_ name: String, of _: Kind.Type = Kind.self) -> ID<Kind>? {
        guard let text = string(name) else { return nil }
        guard let id = ID<Kind>(text) else {
            fault(name, "must be a UUID")
            return nil
        }
        return id
    }

    /// One of the raw values of an enumeration; the fault lists them all.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of _: Choice.Type = Choice.self
    ) -> Choice? {
        guard let text = string(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            fault(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return choice
    }

    /// An amount in major units, as JSON number or text, read from its digits.
    package func money(_ name: String, in currency: Currency) -> Money? {
        guard let value = value(name) else { return nil }
        guard let text = value.decimalText else {
            fault(name, "must be a number, not \(value.kind)")
            return nil
        }
        do throws(MoneyError) { return try Money(text, in: currency) } catch {
            fault(name, error.description)
            return nil
        }
    }

    /// A currency by its code of ISO 4217.
    package func currency(_ name: String) -> Currency? {
        guard let text = string(name, upTo: 60) else { return nil }
        guard let currency = Currency(code: text) else {
            fault(name, "\"\(text)\" is not a currency code of ISO 4217")
            return nil
        }
        return currency
    }

    /// Reads a nested object; its faults carry the whole pointer, and its unknown members are faults too.
    package func object<T>(_ name: String, _ body: (FieldReader) -> T) -> T? {
        guard let value = value(name) else { return nil }
        guard let object = value.object else {
            fault(name, "must be an object, not \(value.kind)")
            return nil
        }
        return nested(object, "\(pointer)/\(name)", body)
    }

    /// Reads each element of an array of objects.
    package func objects<T>(_ name: String, upTo limit: Int, _ body: (FieldReader) -> T) -> [T]? {
        guard let items = array(name, upTo: limit) else { return nil }
        return items.enumerated().compactMap { index, item in
            guard let object = item.object else {
                faults.append(
                    FieldFault(pointer: "\(pointer)/\(name)/\(index)", detail: "must be an object, not \(item.kind)"))
                return nil
            }
            return nested(object, "\(pointer)/\(name)/\(index)", body)
        }
    }

    /// An array of at most `limit` texts; each element of another type is a fault of its own.
    package func strings(_ name: String, upTo limit: Int) -> [String]? {
        guard let items = array(name, upTo: limit) else { return nil }
        return items.enumerated().compactMap { index, item in
            if item.string == nil {
                faults.append(
                    FieldFault(pointer: "\(pointer)/\(name)/\(index)", detail: "must be a text, not \(item.kind)"))
            }
            return item.string
        }
    }

    private func array(_ name: String, upTo limit: Int) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard let items = value.array else {
            fault(name, "must be an array, not \(value.kind)")
            return nil
        }
        guard items.count <= limit else {
            fault(name, "has more than \(limit) elements")
            return nil
        }
        return items
    }

    private func nested<T>(_ object: JSONObject, _ pointer: String, _ body: (FieldReader) -> T) -> T {
        let reader = FieldReader(object, pointer: pointer)
        let result = body(reader)
        for (member, isAsked) in zip(reader.object.members, reader.isAsked) where !isAsked {
            reader.fault(member.name, "is not a field of this document")
        }
        faults += reader.faults
        return result
    }
}
