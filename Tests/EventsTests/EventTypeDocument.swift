import Foundation
import Kernel
import Testing

@testable import Events

/// `docs/event-types.md`, made from the catalogue.
private enum EventTypeDocument {
    static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/event-types.md")

    static func text() throws -> String {
        var parts = [head]
        parts += ["## Our types", list()]
        for type in EventCatalog.all { parts.append(try chapter(type)) }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func list() -> String {
        let rows = EventCatalog.all.map { "| `\($0.name)` | \($0.summary) |" }
        return (["| type | when |", "|---|---|"] + rows).joined(separator: "\n")
    }

    private static func chapter(_ type: any EventType.Type) throws -> String {
        let rows = type.fields.flatMap { field in
            [row(field, "")] + field.children.map { row($0, "\(field.name).", class: field.privacy) }
        }
        let example = try JSONValue(parsing: type.examplePayload)
        return """
            ### \(type.name)

            \(type.summary)

            | field | type | class | meaning |
            |---|---|---|---|
            \(rows.joined(separator: "\n"))

            ```json
            \(lines(example, "").joined(separator: "\n"))
            ```
            """
    }

    private static func row(_ field: EventField, _ prefix: String, class privacy: Privacy? = nil) -> String {
        var kind: String =
            switch field.kind {
            case .text: "text"
            case .uuid: "UUID"
            case .time: "time"
            case .decimal: "number"
            case .integer: "integer"
            case .boolean: "true or false"
            case .texts: "list of texts"
            case .object: "object"
            case .objects: "list of objects"
            }
        if field.presence.contains(.nullable) { kind += " or null" }
        if field.presence.contains(.optional) { kind += ", may be left out" }
        return "| `\(prefix)\(field.name)` | \(kind) | \((privacy ?? field.privacy).rawValue) | \(field.summary) |"
    }

    /// JSON on as many lines as it has members; numbers keep their digits.
    private static func lines(_ value: JSONValue, _ indent: String) -> [String] {
        func block(_ open: String, _ close: String, _ parts: [(name: String, value: JSONValue)]) -> [String] {
            if parts.isEmpty { return [open + close] }
            let inner = parts.enumerated().flatMap { index, part in
                var lines = lines(part.value, indent + "  ")
                lines[0] = indent + "  " + part.name + lines[0]
                if index < parts.count - 1 { lines[lines.count - 1] += "," }
                return lines
            }
            return [open] + inner + [indent + close]
        }
        switch value {
        case .object(let object):
            return block("{", "}", object.members.map { ("\(text(.string($0.name))): ", $0.value) })
        case .array(let items): return block("[", "]", items.map { ("", $0) })
        default: return [text(value)]
        }
    }

    private static func text(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static let head = """
        # Event types

        This page is made from `Sources/Events/`: `TRADEWIND_WRITE_DOCS=1 scripts/test EventTypeDocument` writes it,
        and the same test fails while it is not up to date. A server tells the same, with the JSON Schema of each
        type, at `GET /api/v1/webhooks/event-types`.

        ## What leaves

        Each field has a class. Only `public` ones are in the payload that is pushed, fed and streamed;
        `confidential` and `restricted` ones stay in the store. What an object or list holds shares its class.

        The schemas are open (`additionalProperties` is true): a type may gain fields, and a receiver should ignore
        those that it does not know. A field is never given another meaning or type.

        ## Types of your own

        A tenant registers a type with `POST /api/v1/webhooks/event-types {name, summary, schema, example?}` and
        publishes its events with `POST /api/v1/events {event_type, entity_id?, payload}`, both as a member.

        - A name is `entity.action` in the letters a to z, digits and `_`. The entities of the types below are ours.
          A tenant has at most 100 types of its own; all of its organisations share them.
        - The schema is JSON Schema 2020-12 of at most 64 KiB and says `"type": "object"` at its root. A property of
          the root may carry `"x-privacy": "public"`, `"confidential"` or `"restricted"`; without it, it is public.
          What the schema does not name is public too, so close it with `"additionalProperties": false` if that is
          not wanted.
        - `PATCH /api/v1/webhooks/event-types/{name}` changes summary, schema or example. Events that were published
          before stay as they were written, and so does what they let leave.
        - `DELETE /api/v1/webhooks/event-types/{name}` is answered 409 while a subscription asks for the type. Its
          events stay in log and feed for as long as others do.
        - A payload that the schema refuses is answered 422 with a JSON pointer for each fault, and nothing is
          written.

        These keywords are supported. Any other is refused by its name and place, never ignored:

        | for | keywords |
        |---|---|
        | any value | `type` `enum` `const` `$ref` `allOf` `anyOf` `oneOf` `not` `if` `then` `else` |
        | numbers | `minimum` `maximum` `exclusiveMinimum` `exclusiveMaximum` `multipleOf`, all exact |
        | texts | `minLength` `maxLength` in code points, `pattern`, `format` |
        | lists | `items` `prefixItems` `contains` `minContains` `maxContains` `minItems` `maxItems` `uniqueItems` |
        | objects | `properties` `patternProperties` `additionalProperties` `propertyNames` `required` |
        | | `dependentRequired` `dependentSchemas` `minProperties` `maxProperties` |
        | people | `title` `description` `default` `examples` `deprecated` `readOnly` `writeOnly` `$comment` |
        | the document | `$schema` `$id` `$defs`, at the root only |

        - `$ref` is `#` or `#/$defs/` and a name; `$defs` stands at the root. A schema that comes back to itself
          over the same value is refused.
        - `format` is checked: \(SchemaFormat.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")).
        - `pattern` is ECMA-262 without back references, look-around, word borders and `\\p`, so that its time is
          bounded by the text's length. Repetitions count to 1,000.
        - A schema holds at most \(JSONSchema.nodesMost) schemas, 16 of them over one value. A check ends after \
          \(JSONSchema.stepsMost) steps.
        """
}

@Suite("The document of event types")
struct EventTypeDocumentTests {
    @Test("docs/event-types.md is what the catalogue says")
    func isUpToDate() throws {
        let wanted = try EventTypeDocument.text()
        if ProcessInfo.processInfo.environment["TRADEWIND_WRITE_DOCS"] == "1" {
            try Data(wanted.utf8).write(to: EventTypeDocument.path)
        }
        let found = String(decoding: try Data(contentsOf: EventTypeDocument.path), as: UTF8.self)
        let advice: Comment = "TRADEWIND_WRITE_DOCS=1 scripts/test EventTypeDocument writes it anew"
        #expect(found == wanted, advice)
    }
}
