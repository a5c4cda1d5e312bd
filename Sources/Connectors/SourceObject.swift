import Kernel

/// An object of a source's document, read with the first fault named by its place.
///
/// Other than Kernel's `FieldReader` it passes over members that nobody asked for: sources add them at will.
struct SourceObject {
    /// Ids, SKUs and line keys stand in indexes, whose rows PostgreSQL bounds at 2,704 bytes; 255 characters are at
    /// most 1,020.
    static let identifierCharacters = 255
    /// Ten thousand lines of a billion pieces stay far inside 64 bits, whatever they are added to.
    static let quantityMost: Int64 = 1_000_000_000

    let object: JSONObject
    let path: String

    static func parse(_ body: [UInt8]) throws(Untranslatable) -> SourceObject {
        let value: JSONValue
        do throws(JSONSyntaxError) { value = try JSONValue(parsing: body) } catch {
            throw Untranslatable(path: "body", detail: error.description)
        }
        guard let object = value.object else {
            throw Untranslatable(path: "body", detail: "must be an object, not \(value.kind)")
        }
        return SourceObject(object: object, path: "")
    }

    static func requireOrderEvent(
        _ event: String, of description: ConnectorDescription
    ) throws(Untranslatable) {
        guard description.orderEvents.contains(event) else {
            throw Untranslatable(path: "event", detail: "\"\(shown(event))\" tells of no order")
        }
    }

    func fault(_ name: String, _ detail: String) -> Untranslatable {
        Untranslatable(path: path.isEmpty ? name : "\(path)/\(name)", detail: detail)
    }

    // MARK: Members

    /// The first of several spellings that is there; JSON's null counts as absent.
    func member(_ names: [String]) -> (name: String, value: JSONValue)? {
        for name in names {
            if let value = object[name], value != .null { return (name, value) }
        }
        return nil
    }

    /// A text for people; nil when it is blank or absent.
    func text(_ names: String..., upTo limit: Int = Limits.textCharacters) throws(Untranslatable) -> String? {
        guard let (name, value) = member(names) else { return nil }
        guard let text = value.string else { throw fault(name, "must be a text, not \(value.kind)") }
        return try bounded(text, name, limit)
    }

    /// An id or SKU of the source, opaque text whether it came as text or as a whole number.
    func identifier(_ names: String...) throws(Untranslatable) -> String? {
        guard let (name, value) = member(names) else { return nil }
        switch value {
        case .string(let text): return try bounded(text, name, SourceObject.identifierCharacters)
        // `7`, `7.0` and `70e-1` would be three ids of one thing.
        case .number(let text) where text.utf8.allSatisfy { (48...57).contains($0) }:
            return try bounded(text, name, SourceObject.identifierCharacters)
        case .number(let text):
            throw fault(name, "must be a text or a plain whole number, not \(SourceObject.shown(text))")
        default: throw fault(name, "must be a text or a number, not \(value.kind)")
        }
    }

    func requiredIdentifier(_ name: String) throws(Untranslatable) -> String {
        guard let text = try identifier(name) else { throw fault(name, "is missing") }
        return text
    }

    /// An amount as JSON number or decimal text; a blank text counts as absent (PHP writes those).
    func money(_ names: String..., in currency: Currency) throws(Untranslatable) -> Money? {
        guard let (name, value) = member(names) else { return nil }
        return try money(name, value, in: currency)
    }

    func money(_ name: String, _ value: JSONValue, in currency: Currency) throws(Untranslatable) -> Money? {
        guard let text = value.decimalText else { throw fault(name, "must be an amount, not \(value.kind)") }
        if text.allSatisfy(\.isWhitespace) { return nil }
        do throws(MoneyError) { return try Money(text, in: currency) } catch {
            throw fault(name, error.description)
        }
    }

    func requiredMoney(_ name: String, in currency: Currency) throws(Untranslatable) -> Money {
        guard let money = try money(name, in: currency) else { throw fault(name, "is missing") }
        return money
    }

    /// How many pieces: never guessed, never rounded.
    func quantity(_ names: String...) throws(Untranslatable) -> Int64 {
        guard let (name, value) = member(names) else { throw fault(names[0], "is missing") }
        let rule = "must be a whole number above zero"
        guard let text = value.decimalText else { throw fault(name, "\(rule), not \(value.kind)") }
        guard let decimal = DecimalDigits(text), !decimal.hasFraction(beyond: 0) else {
            throw fault(name, "\(rule), not \(SourceObject.shown(text))")
        }
        guard let quantity = decimal.integer(scaledBy: 0), quantity <= SourceObject.quantityMost else {
            if text.first == "-" { throw fault(name, "\(rule), not \(SourceObject.shown(text))") }
            throw fault(name, "\(SourceObject.shown(text)) is more than \(SourceObject.quantityMost)")
        }
        guard quantity > 0 else { throw fault(name, "\(rule), not \(SourceObject.shown(text))") }
        return quantity
    }

    func time(_ names: String...) throws(Untranslatable) -> Timestamp? {
        guard let (name, value) = member(names) else { return nil }
        guard let text = value.string else { throw fault(name, "must be a time as text, not \(value.kind)") }
        if text.isEmpty { return nil }
        guard let time = Timestamp(text) else {
            throw fault(name, "\"\(SourceObject.shown(text))\" is not a time of RFC 3339")
        }
        return time
    }

    func currency(_ name: String) throws(Untranslatable) -> Currency? {
        guard let text = try text(name) else { return nil }
        guard let currency = Currency(code: text.uppercased()) else {
            throw fault(name, "\"\(SourceObject.shown(text))\" is not a currency code of ISO 4217")
        }
        return currency
    }

    // MARK: Nested

    /// A nested object. An empty array counts as absent: PHP writes an object without members that way.
    func object(_ name: String) throws(Untranslatable) -> SourceObject? {
        guard let (_, value) = member([name]), value != .array([]) else { return nil }
        guard let object = value.object else { throw fault(name, "must be an object, not \(value.kind)") }
        return SourceObject(object: object, path: path.isEmpty ? name : "\(path)/\(name)")
    }

    /// The objects of an array; nil when there is no such array.
    func objects(_ names: String..., upTo limit: Int) throws(Untranslatable) -> [SourceObject]? {
        guard let (name, value) = member(names) else { return nil }
        guard let items = value.array else { throw fault(name, "must be an array, not \(value.kind)") }
        guard items.count <= limit else { throw fault(name, "has more than \(limit) elements") }
        let place = path.isEmpty ? name : "\(path)/\(name)"
        var objects: [SourceObject] = []
        objects.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let object = item.object else {
                throw Untranslatable(path: "\(place)/\(index)", detail: "must be an object, not \(item.kind)")
            }
            objects.append(SourceObject(object: object, path: "\(place)/\(index)"))
        }
        return objects
    }

    // MARK: Texts

    private func bounded(_ text: String, _ name: String, _ limit: Int) throws(Untranslatable) -> String? {
        // Bytes are counted first because that is free, and no text has more characters than bytes.
        guard text.utf8.count <= limit || text.unicodeScalars.count <= limit else {
            throw fault(name, "is longer than \(limit) characters")
        }
        let trimmed = text.trimmed
        return trimmed.isEmpty ? nil : trimmed
    }

    /// A name cut to what a column holds: an event with an absurd one is still kept.
    static func cut(_ name: String) -> String {
        if name.utf8.count <= identifierCharacters { return name }
        return String(String.UnicodeScalarView(name.unicodeScalars.prefix(identifierCharacters)))
    }

    /// A foreign text cut to what fits into a reason.
    static func shown(_ text: String) -> String {
        text.unicodeScalars.count > 40 ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(40))) + "…" : text
    }
}
