import Kernel

/// A JSON Schema (2020-12) as operations declare it. Names in an object that end in `?` may be left out.
struct Schema: Sendable {
    /// The schema's JSON without the braces around it and without its sentence.
    private let members: [UInt8]
    /// A sentence for readers; the last one that is said holds.
    private var sentence: String?

    init(_ body: (inout JSONWriter) -> Void) { members = JSONWriter.object(body).dropFirst().dropLast() }

    var json: [UInt8] {
        guard let sentence else { return [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")] }
        var json = JSONWriter.object { $0.field("description", sentence) }
        json.removeLast()
        if !members.isEmpty { json.append(UInt8(ascii: ",")) }
        json += members
        json.append(UInt8(ascii: "}"))
        return json
    }

    /// The same with a sentence for readers.
    func saying(_ sentence: String) -> Schema {
        var new = self
        new.sentence = sentence
        return new
    }

    var orNull: Schema {
        Schema { writer in
            writer.arrayField("anyOf") { writer in
                writer.raw(json)
                writer.object { $0.field("type", "null") }
            }
        }
    }
}

extension Schema {
    static let text = Schema { $0.field("type", "string") }
    static let boolean = Schema { $0.field("type", "boolean") }
    static let integer = Schema { $0.field("type", "integer") }
    static let number = Schema { $0.field("type", "number") }
    static let uuid = text("uuid")
    static let time = text("date-time")
    /// Whatever JSON there is.
    static let anything = Schema { _ in }
    static let null = Schema { $0.field("type", "null") }
    /// An amount in major units, exactly as many decimals as its currency has.
    static let amount = number.saying("An amount in major units.")
    /// Takes the digits as a text too, as some stores write them.
    static let givenAmount = Schema { writer in
        writer.arrayField("type") { for name in ["number", "string"] { $0.string(name) } }
    }.saying("An amount in major units, with no more decimals than its currency has.")
    static let currency = Schema { writer in
        writer.field("type", "string")
        writer.arrayField("examples") { $0.string("USD") }
    }.saying("A currency code of ISO 4217.")

    private static func text(_ format: String) -> Schema {
        Schema { writer in
            writer.field("type", "string")
            writer.field("format", format)
        }
    }

    /// - Parameter least: characters that there are at least.
    static func text(_ least: Int = 0, upTo most: Int) -> Schema {
        Schema { writer in
            writer.field("type", "string")
            if least > 0 { writer.field("minLength", least) }
            writer.field("maxLength", most)
        }
    }

    static func integer(_ range: ClosedRange<Int64>) -> Schema {
        Schema { writer in
            writer.field("type", "integer")
            writer.field("minimum", range.lowerBound)
            writer.field("maximum", range.upperBound)
        }
    }

    static func choice(_ words: String...) -> Schema { choice(of: words) }

    static func choice<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) -> Schema {
        choice(of: Choice.allCases.map(\.rawValue))
    }

    static func choice(of words: [String]) -> Schema {
        Schema { writer in
            writer.field("type", "string")
            writer.arrayField("enum") { for word in words { $0.string(word) } }
        }
    }

    static func list(_ item: Schema, _ least: Int = 0, upTo most: Int? = nil) -> Schema {
        Schema { writer in
            writer.field("type", "array")
            writer.key("items")
            writer.raw(item.json)
            if least > 0 { writer.field("minItems", least) }
            if let most { writer.field("maxItems", most) }
        }
    }

    /// An object of names that are not known before.
    static func map(_ value: Schema) -> Schema {
        Schema { writer in
            writer.field("type", "object")
            writer.key("additionalProperties")
            writer.raw(value.json)
        }
    }

    /// One of the components.
    static func named(_ name: String) -> Schema { Schema { $0.field("$ref", "#/components/schemas/\(name)") } }

    static func either(_ schemas: Schema...) -> Schema {
        Schema { writer in writer.arrayField("anyOf") { for schema in schemas { $0.raw(schema.json) } } }
    }

    /// An answer's object: exactly these members.
    static func object(_ members: KeyValuePairs<String, Schema>...) -> Schema {
        object(members.joined().map { ($0.key, $0.value) }, isOpen: false)
    }

    /// An object that may have more members than are told of.
    static func open(_ members: KeyValuePairs<String, Schema>) -> Schema {
        object(members.map { ($0.key, $0.value) }, isOpen: true)
    }

    /// A body's object. A member that may be left out may also be null there, which says the same.
    static func request(_ members: KeyValuePairs<String, Schema>...) -> Schema {
        object(members.joined().map { ($0.key, $0.key.hasSuffix("?") ? $0.value.orNull : $0.value) }, isOpen: false)
    }

    /// A page of a list.
    static func page(_ row: Schema) -> Schema {
        object(["data": list(row), "next_cursor": text.saying("For `cursor`; null on the last page.").orNull])
    }

    private static func object(_ members: [(String, Schema)], isOpen: Bool) -> Schema {
        Schema { writer in
            writer.field("type", "object")
            writer.objectField("properties") { writer in
                for (name, schema) in members {
                    writer.key(name.hasSuffix("?") ? String(name.dropLast()) : name)
                    writer.raw(schema.json)
                }
            }
            let required = members.map(\.0).filter { !$0.hasSuffix("?") }
            if !required.isEmpty { writer.arrayField("required") { for name in required { $0.string(name) } } }
            if !isOpen { writer.field("additionalProperties", false) }
        }
    }
}
