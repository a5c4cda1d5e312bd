import Crypto
import Events
import HTTPTypes
import Kernel

/// The API in the form of OpenAPI 3.1, from `OperationCatalog` and `EventCatalog`.
package enum OpenAPIDocument {
    /// The version of the API as it is told; its paths begin with `/api/v1`.
    static let version = "1"

    /// The whole document.
    package static func json(_ groups: [OperationGroup] = OperationCatalog.groups) -> [UInt8] {
        JSONWriter.object { writer in
            writer.field("openapi", "3.1.0")
            writer.objectField("info") { writer in
                writer.field("title", "Tradewind")
                writer.field("version", version)
                writer.field("description", about)
            }
            writer.arrayField("tags") { writer in
                for group in groups {
                    writer.object { writer in
                        writer.field("name", group.name)
                        writer.field("description", group.summary)
                    }
                }
            }
            writer.objectField("paths") { writePaths(groups, &$0) }
            writer.objectField("webhooks") { writeWebhooks(&$0) }
            writer.objectField("components") { writeComponents(groups, &$0) }
        }
    }

    private static let about = """
        Stores and platforms come in as signed webhooks and leave as orders, events and signed deliveries. Every call \
        but the public ones carries a bearer (a token, or an API key) and the headers X-Tenant-ID and X-Org-ID. What \
        goes wrong is answered as application/problem+json: `error` is one sentence, `errors` names each bad field.
        """

    /// The hex digits of a digest, for an ETag.
    static func tag(of bytes: [UInt8]) -> String { "\"\(hexText(Array(SHA256.hash(data: bytes).prefix(12))))\"" }

    // MARK: Paths

    private static func writePaths(_ groups: [OperationGroup], _ writer: inout JSONWriter) {
        var paths: [String] = []
        var found: [String: [(OperationGroup, Operation)]] = [:]
        for group in groups {
            for operation in group.operations {
                if found[operation.path] == nil { paths.append(operation.path) }
                found[operation.path, default: []].append((group, operation))
            }
        }
        for path in paths {
            writer.objectField(path) { writer in
                for (group, operation) in found[path] ?? [] {
                    writer.objectField(operation.method.rawValue.lowercased()) { writer in
                        let links = OperationLinks.links(from: operation, among: groups.flatMap(\.operations))
                        write(operation, of: group, links, &writer)
                    }
                }
            }
        }
    }

    private static func write(
        _ operation: Operation, of group: OperationGroup, _ links: [OperationLinks.Link], _ writer: inout JSONWriter
    ) {
        writer.field("operationId", operation.id)
        writer.field("summary", operation.summary)
        writer.arrayField("tags") { $0.string(group.name) }
        writeSecurity(operation.access, &writer)
        writer.arrayField("parameters") { writer in
            for name in operation.pathNames {
                write(Operation.Parameter(name: name, schema: .text, isRequired: true), in: "path", &writer)
            }
            for parameter in operation.query { write(parameter, in: "query", &writer) }
            for parameter in operation.headers { write(parameter, in: "header", &writer) }
        }
        if let body = operation.body {
            writer.objectField("requestBody") { writer in
                writer.field("required", body.isRequired)
                writeContent(body.contentTypes, body.schema, body.example, &writer)
            }
        }
        writer.objectField("responses") { writer in
            for answer in operation.answers { write(answer, of: operation, links, &writer) }
            for status in operation.problems.sorted() {
                writer.objectField(String(status)) { $0.field("$ref", "#/components/responses/Problem\(status)") }
            }
        }
    }

    private static func writeSecurity(_ access: Operation.Access, _ writer: inout JSONWriter) {
        writer.arrayField("security") { writer in
            switch access {
            case .anyone, .monitor, .signature: break
            case .role, .key:
                writer.object { writer in
                    for name in ["bearer", "tenant", "organisation"] { writer.arrayField(name) { _ in } }
                }
            }
            if case .key = access {
                for name in ["apiKey", "basic"] { writer.object { $0.arrayField(name) { _ in } } }
            }
        }
        if case .role(let role) = access { writer.field("x-role", role.rawValue) }
    }

    private static func write(
        _ parameter: Operation.Parameter, in place: String, _ writer: inout JSONWriter
    ) {
        writer.object { writer in
            writer.field("name", parameter.name)
            writer.field("in", place)
            writer.field("required", parameter.isRequired)
            writer.key("schema")
            writer.raw(parameter.schema.json)
        }
    }

    private static func write(
        _ answer: Operation.Answer, of operation: Operation, _ links: [OperationLinks.Link],
        _ writer: inout JSONWriter
    ) {
        writer.objectField(String(answer.status)) { writer in
            writer.field("description", HTTPResponse.Status(code: answer.status).reasonPhrase)
            let headers = operation.headers(of: answer)
            if !headers.isEmpty {
                writer.objectField("headers") { writer in
                    for header in headers {
                        writer.objectField(header.name) { writer in
                            writer.key("schema")
                            writer.raw(header.schema.json)
                        }
                    }
                }
            }
            if let schema = answer.schema { writeContent([answer.contentType], schema, nil, &writer) }
            // An answer of 200 to a POST can be one that made nothing.
            if answer.status == 201 || answer.status == 202, !links.isEmpty { write(links, &writer) }
        }
    }

    private static func write(_ links: [OperationLinks.Link], _ writer: inout JSONWriter) {
        writer.objectField("links") { writer in
            for link in links {
                writer.objectField(link.operation.id) { writer in
                    writer.field("operationId", link.operation.id)
                    writer.objectField("parameters") { $0.field(link.name, "$response.body#\(link.pointer)") }
                }
            }
        }
    }

    private static func writeContent(
        _ types: [String], _ schema: Schema, _ example: String?, _ writer: inout JSONWriter
    ) {
        writer.objectField("content") { writer in
            for type in types {
                writer.objectField(type) { writer in
                    writer.key("schema")
                    writer.raw(schema.json)
                    if let example {
                        writer.key("example")
                        writer.raw(example.utf8)
                    }
                }
            }
        }
    }

    // MARK: Webhooks

    /// What subscribers receive, in the envelope of the usual profile.
    private static func writeWebhooks(_ writer: inout JSONWriter) {
        for type in EventCatalog.all {
            writer.objectField(type.name) { writer in
                writer.objectField("post") { writer in
                    writer.field("summary", type.summary)
                    writer.arrayField("tags") { $0.string(SubscriptionOperations.group.name) }
                    writer.arrayField("security") { _ in }
                    writer.objectField("requestBody") { writer in
                        writeContent(["application/json"], envelope(of: type), nil, &writer)
                    }
                    writer.objectField("responses") { writer in
                        writer.objectField("2XX") { $0.field("description", "The delivery is taken.") }
                    }
                }
            }
        }
    }

    private static func envelope(of type: any EventType.Type) -> Schema {
        let payload = Schema { writer in
            for member in (try? JSONValue(parsing: PayloadSchema.json(of: type)))?.object?.members ?? []
            where !["$schema", "$id"].contains(member.name) {
                writer.field(member.name, member.value)
            }
        }
        return .open([
            "event_id": .uuid, "event_type": .choice(type.name), "timestamp": .time, "tenant_id": .uuid,
            "org_id": .uuid, "user_id": .uuid, "role": .text, "payload": payload,
        ])
    }

    // MARK: Components

    private static func writeComponents(_ groups: [OperationGroup], _ writer: inout JSONWriter) {
        writer.objectField("schemas") { writer in
            for group in groups {
                for (name, schema) in group.schemas {
                    writer.key(name)
                    writer.raw(schema.json)
                }
            }
            writer.key("Problem")
            writer.raw(problem.json)
        }
        writer.objectField("responses") { writer in
            let statuses = Set(groups.flatMap(\.operations).flatMap(\.problems))
            for status in statuses.sorted() {
                writer.objectField("Problem\(status)") { writer in
                    writer.field("description", HTTPResponse.Status(code: status).reasonPhrase)
                    writeContent([Problem.contentType], .named("Problem"), nil, &writer)
                }
            }
        }
        writer.objectField("securitySchemes") { writer in
            writer.objectField("bearer") { writer in
                writer.field("type", "http")
                writer.field("scheme", "bearer")
                writer.field("description", "A JWT, or an API key that begins with tw_.")
            }
            writer.objectField("basic") { writer in
                writer.field("type", "http")
                writer.field("scheme", "basic")
                writer.field("description", "An API key as the password, with any user name.")
            }
            for (name, header) in [
                ("tenant", "X-Tenant-ID"), ("organisation", "X-Org-ID"), ("apiKey", "X-API-Key"),
            ] {
                writer.objectField(name) { writer in
                    writer.field("type", "apiKey")
                    writer.field("in", "header")
                    writer.field("name", header)
                }
            }
        }
    }

    static let problem = Schema.open([
        "type": .text, "title": .text, "status": .integer, "detail": .text,
        "error": .text.saying("One plain sentence."),
        "errors?": .list(.object(["pointer": .text.saying("RFC 6901."), "detail": .text])),
        "request_id": .text,
    ])
}
