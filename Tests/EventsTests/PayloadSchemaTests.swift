import Kernel
import Testing

@testable import Events

@Suite("The schemas of the catalogue")
struct PayloadSchemaTests {
    private func type(_ name: String) throws -> any EventType.Type { try #require(EventCatalog.type(named: name)) }

    @Test("A type's example is accepted by its schema", arguments: EventCatalog.names)
    func examples(name: String) throws {
        let schema = try JSONSchema(JSONValue(parsing: PayloadSchema.json(of: type(name))))
        #expect(schema.faults(in: try JSONValue(parsing: type(name).examplePayload)) == [])
    }

    @Test("No example writes what its schema does not declare", arguments: EventCatalog.names)
    func declared(name: String) throws {
        let text = String(decoding: PayloadSchema.json(of: try type(name)), as: UTF8.self)
        let parts = text.split(separator: #""additionalProperties":true"#, omittingEmptySubsequences: false)
        let closed = parts.joined(separator: #""additionalProperties":false"#)
        let schema = try JSONSchema(JSONValue(parsing: Array(closed.utf8)))
        #expect(parts.count > 1)
        #expect(schema.faults(in: try JSONValue(parsing: type(name).examplePayload)) == [])
    }

    @Test("A schema does not speak of what is withheld", arguments: EventCatalog.names)
    func withheld(name: String) throws {
        let properties = try JSONValue(parsing: PayloadSchema.json(of: type(name)))["properties"]?.object
        let names = try #require(properties).members.map(\.name)
        #expect(names == (try type(name).fields.filter { $0.privacy == .public }.map(\.name)))
    }

    @Test("Without one of its members an example is refused, unless that is optional", arguments: EventCatalog.names)
    func required(name: String) throws {
        let schema = try JSONSchema(JSONValue(parsing: PayloadSchema.json(of: type(name))))
        let payload = try JSONValue(parsing: type(name).examplePayload)
        for field in try type(name).fields where field.privacy == .public {
            let rest = JSONWriter.object { writer in
                for member in payload.object?.members ?? [] where member.name != field.name {
                    writer.field(member.name, member.value)
                }
            }
            let faults = schema.faults(in: try JSONValue(parsing: rest))
            #expect(faults.map(\.pointer) == (field.presence.contains(.optional) ? [] : ["/\(field.name)"]))
        }
    }

    @Test("Each kind of field has its type, and null beside it where it may be null")
    func kinds() throws {
        let schema = try JSONValue(parsing: PayloadSchema.json(of: OrderCreated.self))
        #expect(schema["$id"] == .string("urn:tradewind:event-type:order.created"))
        #expect(schema["properties"]?["external_id"]?["type"] == .array([.string("string"), .string("null")]))
        #expect(schema["properties"]?["total"]?["type"] == .string("number"))
        #expect(schema["properties"]?["order_id"]?["format"] == .string("uuid"))
        #expect(schema["properties"]?["placed_at"]?["format"] == .string("date-time"))
        let line = schema["properties"]?["line_items"]?["items"]
        #expect(line?["properties"]?["quantity"]?["type"] == .string("integer"))
        #expect(line?["required"]?.array?.count == 6)
    }
}
