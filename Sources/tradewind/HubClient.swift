import AsyncHTTPClient
import HTTPTypes
import Kernel
import NIOCore
import NIOHTTP1
import NIOPosix
import Signing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Calls a running hub for the commands that work with one.
struct HubClient: Sendable {
    /// The hub's refusal, in its own words.
    struct Refused: Error, CustomStringConvertible {
        let description: String
        /// 0 where the hub took the call and answered nothing of use.
        let status: Int
        let body: JSONValue
        /// How long the hub asks to be left alone.
        let retryAfter: Duration?

        init(_ description: String, status: Int = 0, body: JSONValue = .null, retryAfter: Duration? = nil) {
            self.description = description
            self.status = status
            self.body = body
            self.retryAfter = retryAfter
        }

        /// Whether the same call may be taken later.
        var isPassing: Bool { status == 429 || status >= 500 }
    }

    /// No answer, or one that broke off.
    struct Unreachable: Error, CustomStringConvertible {
        let description: String
    }

    private static let answerMost = 4 << 20

    private static let http = client(silence: nil)
    /// For streams, on which a hub says something every fifteen seconds: three of those in silence are a dead one.
    private static let streaming = client(silence: .seconds(45))

    /// A refused connection is told at once, and a token is never sent on to where a redirect points.
    private static func client(silence: TimeAmount?) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10), read: silence))
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    let address: String
    let token: String
    /// Named for keys, which don't tell whose they are.
    let tenant: String?
    let organisation: String?

    /// A call with a small answer; anything but a success is thrown in the hub's words.
    func call(
        _ method: HTTPMethod, _ path: String, type: String? = nil, body: HTTPClientRequest.Body? = nil,
        timeout: TimeAmount = .seconds(60)
    ) async throws -> JSONValue {
        let response = try await send(method, path, type: type, body: body, timeout: timeout)
        let bytes = try await naming { try await response.body.collect(upTo: Self.answerMost) }
        return try JSONValue(parsing: Array(bytes.readableBytesView))
    }

    /// A call with a JSON body.
    func post(_ path: String, _ json: [UInt8]) async throws -> JSONValue {
        try await call(.POST, path, type: "application/json", body: .bytes(ByteBuffer(bytes: json)))
    }

    /// The same for an answer that is read piece by piece.
    func send(
        _ method: HTTPMethod, _ path: String, type: String? = nil, body: HTTPClientRequest.Body? = nil,
        timeout: TimeAmount
    ) async throws -> HTTPClientResponse {
        var request = try request(method, path)
        if let type { request.headers.add(name: "Content-Type", value: type) }
        request.body = body
        let sent = request
        return try await checked(naming { try await Self.http.execute(sent, timeout: timeout) })
    }

    /// An answer without an end.
    func stream(_ path: String, headers: [(String, String)]) async throws -> HTTPClientResponse {
        var request = try request(.GET, path)
        request.headers.add(name: "Accept", value: "text/event-stream")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let sent = request
        return try await checked(naming { try await Self.streaming.execute(sent, timeout: .hours(24 * 365)) })
    }

    /// Posts a rendered delivery anywhere; answers the status.
    static func post(_ outgoing: OutgoingRequest) async throws -> Int {
        var request = HTTPClientRequest(url: outgoing.url)
        request.method = .POST
        for field in outgoing.headers { request.headers.add(name: field.name.rawName, value: field.value) }
        request.body = .bytes(ByteBuffer(bytes: outgoing.body))
        let sent = request
        return try await naming(outgoing.url) {
            let response = try await http.execute(sent, timeout: TimeAmount(outgoing.timeout))
            // Read to the end, as far as it is short, so that the connection can be used again.
            var count = 0
            for try await piece in response.body {
                count += piece.readableBytes
                if count > outgoing.responseLimit { break }
            }
            return Int(response.status.code)
        }
    }

    private func request(_ method: HTTPMethod, _ path: String) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        for (name, value) in try owners() { request.headers.add(name: name, value: value) }
        return request
    }

    private func checked(_ response: HTTPClientResponse) async throws -> HTTPClientResponse {
        if (200..<300).contains(response.status.code) { return response }
        let bytes = try await naming { Array(try await response.body.collect(upTo: Self.answerMost).readableBytesView) }
        let problem: JSONValue
        do { problem = try JSONValue(parsing: bytes) } catch { problem = .null }
        let detail = problem["detail"]?.string ?? String(decoding: bytes.prefix(500), as: UTF8.self)
        let now = TimeSource.system.now()
        throw Refused(
            "the hub answered \(response.status.code): \(detail)", status: Int(response.status.code), body: problem,
            retryAfter: response.headers.first(name: "Retry-After").flatMap { HTTPDate.retryAfter($0, now: now) })
    }

    /// The headers that name whose data is meant: what the token itself says.
    private func owners() throws -> [(String, String)] {
        if let tenant, let organisation { return [("X-Tenant-ID", tenant), ("X-Org-ID", organisation)] }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64.decode(String(parts[1]), .url),
            let claims = try? JSONValue(parsing: payload)
        else { return [] }
        return [("X-Tenant-ID", "tenant_id"), ("X-Org-ID", "org_id")].compactMap { name, claim in
            claims[claim]?.string.map { (name, $0) }
        }
    }

    /// Errors of the network in words, with the address that they are about.
    func naming<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await Self.naming(address, body)
    }

    private static func naming<Value>(_ address: String, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as NIOConnectionError {
            let cause = error.connectionErrors.first.map { "\($0.error)" } ?? error.dnsAError.map { "\($0)" }
            throw Unreachable(description: "can't reach \(address): \(cause ?? "no address of that name")")
        } catch let error as HTTPClientError {
            throw Unreachable(description: "no answer from \(address): \(error.shortDescription)")
        } catch let error as IOError {
            throw Unreachable(description: "can't reach \(address): \(String(cString: strerror(error.errnoCode)))")
        }
    }
}
