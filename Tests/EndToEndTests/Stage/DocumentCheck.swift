import API
import Events
import HTTPTypes
import Kernel
import Synchronization

/// Holds every answer that a test gets from the server against what the API's document says of it.
final class DocumentCheck: Sendable {
    static let shared = DocumentCheck()

    private let document: JSONObject
    private let components: JSONObject
    private let paths: [(parts: [Substring], item: JSONObject)]
    /// Schemas that were read before, by the place in the document.
    private let schemas = Mutex<[String: JSONSchema]>([:])

    private init() {
        guard case .object(let document)? = try? JSONValue(parsing: OpenAPIDocument.json()) else {
            preconditionFailure("the API's document is a JSON object")
        }
        self.document = document
        components = document["components"]?["schemas"]?.object ?? .empty
        paths = (document["paths"]?.object?.members ?? []).compactMap { member in
            member.value.object.map { (member.name.split(separator: "/"), $0) }
        }
    }

    /// What the document does not say of the answer; empty where all is well, and for routes that there aren't.
    func faults(_ method: HTTPRequest.Method, _ path: String, _ answer: Answer) -> [String] {
        guard let (name, operation) = operation(method, path) else { return [] }
        let place = "\(name) \(answer.status)"
        guard var response = operation["responses"]?[String(answer.status)] else {
            return ["\(place) is an answer that the document does not tell of: \(answer.text.prefix(300))"]
        }
        if let reference = response["$ref"]?.string, let last = reference.split(separator: "/").last {
            response = document["components"]?["responses"]?[String(last)] ?? response
        }
        guard let contents = response["content"]?.object else {
            return answer.body.isEmpty ? [] : ["\(place) has a body, and the document tells of none"]
        }
        let type = (answer.headers[.contentType] ?? "").prefix { $0 != ";" }
        guard let content = contents[String(type)] ?? contents["*/*"] else {
            return ["\(place) is \(type), which the document does not tell of"]
        }
        guard type.hasSuffix("json"), contents["*/*"] == nil, let schema = content["schema"] else { return [] }
        do {
            let faults = try self.schema(schema, at: place).faults(in: answer.json)
            return faults.map { "\(place) \($0.pointer) \($0.detail): \(answer.text.prefix(600))" }
        } catch { return ["\(place): the document's schema can't be read: \(error)"] }
    }

    /// Every route: its method, its path with names in braces, and what is said of it.
    var routes: [(method: String, path: String, operation: JSONValue)] {
        (document["paths"]?.object?.members ?? []).flatMap { path in
            (path.value.object?.members ?? []).map { ($0.name.uppercased(), path.name, $0.value) }
        }
    }

    /// Every good answer of every route, as method, path and status.
    var goodAnswers: Set<String> {
        Set(
            routes.flatMap { route in
                (route.operation["responses"]?.object?.members ?? []).filter { $0.name < "400" }.map {
                    "\(route.method) \(route.path) \($0.name)"
                }
            })
    }

    /// What the document says of the route that a path leads to, under its method and path.
    func operation(_ method: HTTPRequest.Method, _ path: String) -> (String, JSONObject)? {
        let parts = path.prefix { $0 != "?" }.split(separator: "/")
        let found = paths.filter { candidate in
            candidate.parts.count == parts.count
                && zip(candidate.parts, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        // A path without names in it goes before one with them.
        let best = found.min { a, b in
            a.parts.count { $0.hasPrefix("{") } < b.parts.count { $0.hasPrefix("{") }
        }
        guard let best, let operation = best.item[method.rawValue.lowercased()]?.object else { return nil }
        return ("\(method.rawValue) /\(best.parts.joined(separator: "/"))", operation)
    }

    private func schema(_ schema: JSONValue, at place: String) throws -> JSONSchema {
        if let known = schemas.withLock({ $0[place] }) { return known }
        var names: [String] = []
        collect(schema, &names)
        let bytes = JSONWriter.object { writer in
            for member in schema.object?.members ?? [] { writer.field(member.name, member.value) }
            writer.objectField("$defs") { writer in
                for name in names { writer.field(name, components[name] ?? .null) }
            }
        }
        let local = String(decoding: bytes, as: UTF8.self)
            .split(separator: "#/components/schemas/", omittingEmptySubsequences: false).joined(separator: "#/$defs/")
        let read = try JSONSchema(JSONValue(parsing: Array(local.utf8)))
        schemas.withLock { $0[place] = read }
        return read
    }

    /// The components that a schema leads to.
    private func collect(_ value: JSONValue, _ names: inout [String]) {
        for item in value.array ?? [] { collect(item, &names) }
        for member in value.object?.members ?? [] {
            if member.name == "$ref", let last = member.value.string?.split(separator: "/").last {
                let name = String(last)
                if !names.contains(name) {
                    names.append(name)
                    collect(components[name] ?? .null, &names)
                }
            } else {
                collect(member.value, &names)
            }
        }
    }
}
