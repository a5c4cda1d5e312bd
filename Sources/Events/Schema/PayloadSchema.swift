import Kernel

/// The JSON Schema of what leaves of an event type, made from its fields.
///
/// It is open (`additionalProperties` is true): fields may be added to a type later, and a receiver that checked
/// against a closed schema would refuse good events on that day. That nothing undeclared is written today is a test's
/// to prove.
package enum PayloadSchema {
    package static let dialect = "https://json-schema.org/draft/2020-12/schema"

    /// The schema of a type of the catalogue as JSON.
    package static func json(of type: any EventType.Type) -> [UInt8] {
        JSONWriter.object { writer in
            writer.field("$schema", dialect)
            writer.field("$id", identifier(of: type.name))
            writer.field("title", type.name)
            writer.field("description", type.summary)
            writeObject(type.fields.filter { $0.privacy == .public }, &writer)
        }
    }

    /// A name for the schema, not an address: an installation has no public one of its own.
    package static func identifier(of name: String) -> String { "urn:tradewind:event-type:\(name)" }

    private static func writeObject(_ fields: [EventField], _ writer: inout JSONWriter) {
        writer.field("type", "object")
        writer.objectField("properties") { writer in
            for field in fields {
                writer.objectField(field.name) { writer in
                    writer.field("description", field.summary)
                    write(field, &writer)
                }
            }
        }
        let required = fields.filter { !$0.presence.contains(.optional) }
        if !required.isEmpty {
            writer.arrayField("required") { writer in for field in required { writer.string(field.name) } }
        }
        writer.field("additionalProperties", true)
    }

    private static func write(_ field: EventField, _ writer: inout JSONWriter) {
        let isNullable = field.presence.contains(.nullable)
        switch field.kind {
        case .text: writeType("string", isNullable, &writer)
        case .uuid:
            writeType("string", isNullable, &writer)
            writer.field("format", "uuid")
        case .time:
            writeType("string", isNullable, &writer)
            writer.field("format", "date-time")
        case .decimal: writeType("number", isNullable, &writer)
        case .integer: writeType("integer", isNullable, &writer)
        case .boolean: writeType("boolean", isNullable, &writer)
        case .texts:
            writeType("array", isNullable, &writer)
            writer.objectField("items") { $0.field("type", "string") }
        case .objects(let fields):
            writeType("array", isNullable, &writer)
            writer.objectField("items") { writeObject(fields, &$0) }
        case .object(let fields):
            // `writeObject` tells the type; a nullable object is told as a choice instead.
            if isNullable {
                writer.arrayField("anyOf") { writer in
                    writer.object { writeObject(fields, &$0) }
                    writer.object { $0.field("type", "null") }
                }
            } else {
                writeObject(fields, &writer)
            }
        }
    }

    private static func writeType(_ name: String, _ isNullable: Bool, _ writer: inout JSONWriter) {
        if isNullable {
            writer.arrayField("type") { writer in
                writer.string(name)
                writer.string("null")
            }
        } else {
            writer.field("type", name)
        }
    }
}

extension EventType {
    /// The public payload of the example, as it would leave.
    package static var examplePayload: [UInt8] { PayloadWriter.write { example.write(&$0) }.payload }
}
