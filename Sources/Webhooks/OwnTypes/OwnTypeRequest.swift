import Events
import Kernel

/// What a caller gives for a type of its own, new or changed.
package struct OwnTypeRequest: Sendable {
    /// Nil where the type is changed: its name stays.
    package let name: String?
    package let summary: String?
    package let schema: JSONValue?
    package let example: JSONValue?

    private static let nameCharacters = 80
    /// Bytes of one schema: a hundred properties with a sentence each are a fifth of it.
    private static let schemaBytes = 64 << 10

    /// Reads a new type: name, summary and schema are needed.
    package static func new(_ fields: FieldReader) -> OwnTypeRequest {
        let name = fields.requiredString("name", upTo: nameCharacters)
        if !name.isEmpty, let fault = fault(inName: name) { fields.fault("name", fault) }
        let summary = fields.requiredString("summary", upTo: 500)
        if fields.value("schema") == nil { fields.fault("schema", "is required") }
        return OwnTypeRequest(name: name, summary: summary, rest: fields)
    }

    /// Reads a change: what is left out stays as it is.
    package static func change(_ fields: FieldReader) -> OwnTypeRequest {
        let summary = fields.isPresent("summary") ? fields.requiredString("summary", upTo: 500) : nil
        return OwnTypeRequest(name: nil, summary: summary, rest: fields)
    }

    private init(name: String?, summary: String?, rest fields: FieldReader) {
        self.name = name
        self.summary = summary
        schema = fields.value("schema")
        example = fields.value("example")
        if let schema {
            if JSONWriter.bytes(of: schema).count > Self.schemaBytes {
                fields.fault("schema", "is longer than \(Self.schemaBytes) bytes")
            } else if let fault = Self.faultInRoot(schema) {
                fields.fault("schema", fault)
            }
        }
        if let example, example.object == nil { fields.fault("example", "must be an object, not \(example.kind)") }
    }

    /// A payload is an object, and a schema that does not say so would accept what can't be published.
    private static func faultInRoot(_ schema: JSONValue) -> String? {
        if schema.object == nil { return "must be an object, not \(schema.kind)" }
        return schema["type"]?.string == "object" ? nil : "must say \"type\": \"object\" at its root"
    }

    /// Names are an entity and an action in small letters, and leave the catalogue's entities to the catalogue: what is
    /// called `order.…` tomorrow must not be somebody's own.
    private static func fault(inName name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isWellFormed =
            parts.count == 2
            && parts.allSatisfy { part in
                part.utf8.first.map { (97...122).contains($0) } == true
                    && part.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
            }
        if !isWellFormed { return "must be entity.action in the letters a to z, digits and _, such as ticket.opened" }
        guard EventNames.catalogue.hasEntity(String(parts[0])) else { return nil }
        return "must not be of the entity \(parts[0]), whose types are ours"
    }
}
