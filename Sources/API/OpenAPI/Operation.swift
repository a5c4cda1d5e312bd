import HTTPTypes
import Kernel

/// What the API's document says of one route. `OperationCatalog` lists them all; a test compares it with the router.
package struct Operation: Sendable {
    /// Who may call.
    enum Access: Sendable {
        /// Anyone, limited by address.
        case anyone
        /// A monitor: no limit, and nothing that asks the store for more than whether it is there.
        case monitor
        /// Whoever signs the body with a connection's secret.
        case signature
        /// A token or key with the three headers, of at least that role.
        case role(Role)
        /// As `role`, or an API key without the headers.
        case key
    }

    struct Parameter: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool
    }

    struct Body: Sendable {
        let schema: Schema
        let isRequired: Bool
        let example: String?
        /// What it may be sent as.
        let contentTypes: [String]
    }

    struct Answer: Sendable {
        let status: Int
        /// Nil where there is no body.
        let schema: Schema?
        let contentType: String
    }

    package let method: HTTPRequest.Method
    package let path: String
    /// Unique among all operations; generators of clients name functions after it.
    package let id: String
    let summary: String
    let access: Access
    private(set) var query: [Parameter] = []
    private(set) var headers: [Parameter] = []
    private(set) var body: Body?
    private(set) var answers: [Answer] = []
    private(set) var problems: Set<Int>
    private(set) var isVersioned = false
    /// Headers of its good answers beside those that follow from the operation's kind.
    private(set) var told: [Parameter] = []
    /// What the change is on record as; nil for reading, and for business that its own events or ledger tell of.
    private(set) var audit: AuditSubject?

    private init(_ method: HTTPRequest.Method, _ path: String, _ id: String, _ summary: String, _ access: Access) {
        self.method = method
        self.path = path
        self.id = id
        self.summary = summary
        self.access = access
        problems =
            switch access {
            case .monitor: [503]
            case .anyone: [429, 503]
            case .signature: [400, 401, 403, 408, 413, 429, 503]
            case .role, .key: [400, 401, 403, 429, 503]
            }
        if path.contains("{") { problems.insert(404) }
    }

    package var isAudited: Bool { audit != nil }

    /// What a good answer has in its headers besides what every answer has.
    func headers(of answer: Answer) -> [Parameter] {
        if answer.status == 302 { return [Parameter(name: "Location", schema: .text, isRequired: true)] }
        return (isVersioned ? [Parameter(name: "ETag", schema: .text, isRequired: true)] : []) + told
    }

    /// The names in braces of the path.
    var pathNames: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}

// MARK: - How operations are written

extension Operation {
    static func get(_ path: String, _ id: String, _ summary: String, _ access: Access = .role(.viewer)) -> Self {
        Operation(.get, path, id, summary, access)
    }

    static func post(_ path: String, _ id: String, _ summary: String, _ access: Access = .role(.member)) -> Self {
        Operation(.post, path, id, summary, access)
    }

    static func put(_ path: String, _ id: String, _ summary: String, _ access: Access = .role(.member)) -> Self {
        Operation(.put, path, id, summary, access)
    }

    static func patch(_ path: String, _ id: String, _ summary: String, _ access: Access = .role(.member)) -> Self {
        Operation(.patch, path, id, summary, access)
    }

    static func delete(_ path: String, _ id: String, _ summary: String, _ access: Access = .role(.member)) -> Self {
        Operation(.delete, path, id, summary, access).answering(204, nil)
    }

    /// A body that is JSON, which can be too long, too slow, no JSON at all, or wrong in single fields.
    func taking(_ schema: Schema, isRequired: Bool = true, example: String? = nil) -> Self {
        var new = self
        new.body = Body(
            schema: schema, isRequired: isRequired, example: example, contentTypes: ["application/json"])
        new.problems.formUnion([400, 408, 413, 422])
        return new
    }

    /// A body that is a file of one of these types, which can be too long, too slow, or no such file.
    func takingFile(_ contentTypes: [String]) -> Self {
        var new = self
        new.body = Body(schema: .text, isRequired: true, example: nil, contentTypes: contentTypes)
        new.problems.formUnion([400, 408, 413, 422])
        return new
    }

    func answering(_ status: Int = 200, _ schema: Schema?, as contentType: String = "application/json") -> Self {
        var new = self
        new.answers.append(Answer(status: status, schema: schema, contentType: contentType))
        return new
    }

    /// Parameters of the query; a name that ends in `?` may be left out.
    func asking(_ parameters: KeyValuePairs<String, Schema>) -> Self {
        var new = self
        new.query += parameters.map { Self.parameter($0.key, $0.value) }
        new.problems.insert(422)
        return new
    }

    /// A list in pages: `limit` and `cursor`, and its rows in the usual frame.
    func paged(_ row: Schema) -> Self {
        asking([
            "limit?": .integer(1...Int64(Limits.pageRows)),
            "cursor?": .text.saying("`next_cursor` of the page before."),
        ]).answering(200, .page(row))
    }

    func header(_ name: String, _ schema: Schema) -> Self {
        var new = self
        new.headers.append(Self.parameter(name, schema))
        return new
    }

    /// Honours `Idempotency-Key`.
    func once() -> Self {
        header("Idempotency-Key?", .text(1, upTo: 255).saying("Makes a repeated call get the first one's answer."))
            .failing(400, 409)
    }

    /// Takes `If-Match`, and answers with an `ETag`.
    func versioned() -> Self {
        var new = header("If-Match?", .text.saying("The ETag of the version that is meant.")).failing(409, 412)
        new.isVersioned = true
        return new
    }

    /// Answers with an `ETag`.
    func tagged() -> Self {
        var new = self
        new.isVersioned = true
        return new
    }

    /// Answers with a header of its own.
    func telling(_ name: String, _ schema: Schema) -> Self {
        var new = self
        new.told.append(Parameter(name: name, schema: schema, isRequired: true))
        return new
    }

    /// Puts the change on record.
    func audited(_ subject: AuditSubject) -> Self {
        var new = self
        new.audit = subject
        return new
    }

    /// Problems beside those that follow from the operation's kind.
    func failing(_ statuses: Int...) -> Self {
        var new = self
        new.problems.formUnion(statuses)
        return new
    }

    private static func parameter(_ name: String, _ schema: Schema) -> Parameter {
        let isOptional = name.hasSuffix("?")
        return Parameter(name: isOptional ? String(name.dropLast()) : name, schema: schema, isRequired: !isOptional)
    }
}

/// The operations of one noun, with the schemas that they name.
package struct OperationGroup: Sendable {
    let name: String
    let summary: String
    let schemas: KeyValuePairs<String, Schema>
    package let operations: [Operation]
}
