import HTTPTypes
import Kernel
import TestSupport
import Testing

/// Goes the ways that the API's document draws: makes one of each thing from its own example, and follows the links of
/// the answer. Every answer is held against the document by `DocumentCheck`.
@Suite("The API's document is enough to make, read, change and end every thing")
struct ResourceWalkTests {
    private struct Step: Hashable {
        let method: HTTPRequest.Method
        let path: String
        let operationID: String
    }

    /// One thing that was made, and what its links lead to.
    private struct Thing {
        let maker: String
        let steps: [Step]
    }

    /// Operations on one thing that no link leads to, each with the reason. What has two names in its path needs two
    /// things: see `variants`.
    private static let elsewhere: [String: String] = [
        "changeVariant": "two names", "deleteVariant": "two names", "retryInboxEntry": "two names",
        "readFeedFile": "two names", "setThreshold": "made by an adjustment",
        "receiveNative": "called by a store", "readWorkflow": "of an erasure", "retryWorkflow": "of what failed",
    ]

    @Test(
        "Each link leads to an answer that is told of, and each thing ends as it should", arguments: TestEngine.allCases
    )
    func walk(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let document = try await api.get("/openapi.json").json
            let paths = try #require(document["paths"]?.object)
            var things: [Thing] = []
            for (path, item) in paths.members.map({ ($0.name, $0.value) }) {
                guard let maker = item["post"], let links = Self.links(of: maker) else { continue }
                // Those that go on from one thing are called with the others below.
                if path.contains("{") { continue }
                let made = try await Self.make(maker, at: path, things, api)
                things.append(Thing(maker: path, steps: try Self.steps(links, made, paths)))
            }
            let steps = things.flatMap(\.steps)
            try expectAll(in: paths, areAmong: Set(steps.map(\.operationID)))

            for method in [HTTPRequest.Method.get, .patch, .put, .post] {
                for step in steps where step.method == method {
                    try await take(step, try #require(Self.operation(step.operationID, in: paths)), api)
                }
            }
            for thing in things.reversed() {
                for step in thing.steps where step.method == .delete && step.operationID != "deleteMapping" {
                    let ended = try await api.call(.delete, step.path)
                    #expect([200, 204].contains(ended.status), "\(step): \(ended.text)")
                    guard thing.steps.contains(where: { $0.method == .get && $0.path == step.path }) else { continue }
                    // A connection is still told, as one that is disconnected.
                    let after = try await api.get(step.path)
                    #expect(after.status == 404 || after["status"]?.string == "disconnected", "\(step): \(after.text)")
                }
            }
        }
    }

    @Test("A product's variant can be added, changed and taken away", arguments: TestEngine.allCases)
    func variants(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let product = try await api.post("/api/v1/pim/products", #"{"title": "Cup"}"#).text("id")
            let path = "/api/v1/pim/products/\(product)/variants"
            let added = try await api.post(path, #"{"sku": "CUP", "price": 1, "currency": "USD"}"#)
            #expect(added.status == 201, "\(added.text)")
            let variant = "\(path)/\(try added.text("id"))"
            #expect(try await api.call(.patch, variant, #"{"price": 2}"#)["price"] == .number("2.00"))
            #expect(try await api.get(path).page().count == 1)
            #expect(try await api.call(.delete, variant).status == 204)
            #expect(try await api.call(.patch, variant, #"{"price": 3}"#).status == 404)
        }
    }

    // MARK: Reading the document

    private static func links(of operation: JSONValue) -> JSONObject? {
        ["201", "202"].lazy.compactMap { operation["responses"]?[$0]?["links"]?.object }.first
    }

    private static func operation(_ id: String, in paths: JSONObject) -> JSONValue? {
        for item in paths.members {
            for method in item.value.object?.members ?? [] where method.value["operationId"]?.string == id {
                return method.value
            }
        }
        return nil
    }

    /// The links of an answer as calls: the expressions are read from it.
    private static func steps(_ links: JSONObject, _ made: Answer, _ paths: JSONObject) throws -> [Step] {
        try links.members.map { link in
            let id = try link.value.text("operationId")
            let parameter = try #require(link.value["parameters"]?.object?.members.first)
            let pointer = try #require(parameter.value.string?.split(separator: "#/").last)
            let value = pointer.split(separator: "/").reduce(Optional(made.json)) { $0?[String($1)] }
            let named = try #require(value?.string, "\(id): no \(pointer) in \(made.text)")
            for item in paths.members {
                for method in item.value.object?.members ?? [] where method.value["operationId"]?.string == id {
                    let verb = try #require(HTTPRequest.Method(rawValue: method.name.uppercased()))
                    let path = item.name.replacing("{\(parameter.name)}", with: named)
                    return Step(method: verb, path: path, operationID: id)
                }
            }
            throw Overdue(description: "there is no operation \(id)")
        }
    }

    /// Every operation on one thing is walked to, or named with a reason.
    private func expectAll(in paths: JSONObject, areAmong walked: Set<String>) throws {
        for item in paths.members where item.name.contains("{") {
            for method in item.value.object?.members ?? [] {
                let id = try method.value.text("operationId")
                #expect(walked.contains(id) || Self.elsewhere[id] != nil, "no link leads to \(id)")
            }
        }
    }

    // MARK: Calling

    /// A body from the document's own example, or one that names what was made before.
    private static func make(
        _ operation: JSONValue, at path: String, _ things: [Thing], _ api: Caller
    ) async throws -> Answer {
        var body = example(of: operation)
        switch try operation.text("operationId") {
        case "beginImport": body = "sku,title\nA,Anorak\n"
        case "beginReplay":
            let subscription = things.first { $0.maker == "/api/v1/webhooks/subscriptions" }?.steps.first?.path ?? ""
            let id = subscription.split(separator: "/").last ?? ""
            body = #"{"subscription_id": "\#(id)", "since": "\#(TimeSource.system.now() - .seconds(60))"}"#
        default: break
        }
        let query = path.hasSuffix("/imports") ? "?format=csv" : ""
        let sent: String = try #require(body, "\(path) has no example")
        let made = try await api.post(path + query, sent)
        #expect(made.status == 201 || made.status == 202, "\(path): \(made.text)")
        return made
    }

    private static func example(of operation: JSONValue) -> String? {
        let example = operation["requestBody"]?["content"]?["application/json"]?["example"]
        return example.map { value in
            String(decoding: JSONWriter.bytes(of: value), as: UTF8.self)
        }
    }

    private func take(_ step: Step, _ operation: JSONValue, _ api: Caller) async throws {
        let answer = try await api.call(step.method, step.path, Self.example(of: operation))
        let isMove = step.method == .post || step.method == .put
        // A move may come too early or too late for this thing; reading and changing it may not.
        #expect((200..<300).contains(answer.status) || isMove && answer.status < 500, "\(step): \(answer.text)")
    }
}
