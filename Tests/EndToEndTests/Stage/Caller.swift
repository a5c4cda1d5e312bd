import AsyncHTTPClient
import HTTPTypes
import Kernel
import NIOCore
import NIOHTTP1
import Testing

/// What the server said.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON; JSON's null for one that is none.
    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }

    subscript(name: String) -> JSONValue? { json[name] }

    /// A text member of the body that must be there.
    func text(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        try #require(json[name]?.string, "no \(name) in \(status) \(text)", sourceLocation: sourceLocation)
    }

    /// The objects of a page.
    func page(sourceLocation: SourceLocation = #_sourceLocation) throws -> [JSONValue] {
        try #require(json["data"]?.array, "no page: \(status) \(text)", sourceLocation: sourceLocation)
    }
}

extension JSONValue {
    /// A text member of an object that must be there.
    func text(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        try #require(self[name]?.string, "no \(name) in \(self)", sourceLocation: sourceLocation)
    }
}

/// Connections of all tests together. A server that was killed must be noticed at once, so nothing is tried again here.
private let client: HTTPClient = {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
}()

/// Somebody who calls the server over a real socket.
struct Caller: Sendable {
    let address: String
    var headers: HTTPFields = [:]
    var timeout: Duration = .seconds(20)

    /// - Parameter body: JSON text.
    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, _ more: HTTPFields = [:]
    ) async throws -> Answer {
        try await send(method, path, body.map { Array($0.utf8) }, more)
    }

    func get(_ path: String) async throws -> Answer { try await call(.get, path) }

    func post(_ path: String, _ body: String? = nil, _ more: HTTPFields = [:]) async throws -> Answer {
        try await call(.post, path, body, more)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]?, _ more: HTTPFields
    ) async throws -> Answer {
        let response = try await response(method, path, body, more)
        let collected = try await response.body.collect(upTo: 64 << 20)
        return checked(method, path, response, collected)
    }

    /// The beginning of an answer that may have no end: its head, and its body until a text has come.
    func begin(_ path: String, _ more: HTTPFields = [:], until text: String) async throws -> Answer {
        let response = try await response(.get, path, nil, more)
        var collected = ByteBuffer()
        for try await piece in response.body {
            collected.writeImmutableBuffer(piece)
            if String(buffer: collected).contains(text) { break }
        }
        return checked(.get, path, response, collected)
    }

    private func response(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]?, _ more: HTTPFields
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: address + path)
        request.method = .RAW(value: method.rawValue)
        for field in headers + more { request.headers.replaceOrAdd(name: field.name.rawName, value: field.value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        return try await client.execute(request, timeout: TimeAmount(timeout))
    }

    /// The answer, held against the API's document.
    private func checked(
        _ method: HTTPRequest.Method, _ path: String, _ response: HTTPClientResponse, _ body: ByteBuffer
    ) -> Answer {
        var fields = HTTPFields()
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        let answer = Answer(status: Int(response.status.code), headers: fields, body: Array(body.readableBytesView))
        for fault in DocumentCheck.shared.faults(method, path, answer) { Issue.record("\(fault)") }
        return answer
    }
}
