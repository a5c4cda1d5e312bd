import AsyncHTTPClient
import Kernel
import NIOCore
import NIOHTTP1
import Signing

/// Calls a running hub for the commands that move files.
struct HubClient: Sendable {
    /// The hub's refusal, in its own words.
    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    private static let answerMost = 4 << 20

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
        let bytes = try await response.body.collect(upTo: Self.answerMost)
        return try JSONValue(parsing: Array(bytes.readableBytesView))
    }

    /// The same for an answer that is read piece by piece.
    func send(
        _ method: HTTPMethod, _ path: String, type: String? = nil, body: HTTPClientRequest.Body? = nil,
        timeout: TimeAmount
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: address + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        for (name, value) in try owners() { request.headers.add(name: name, value: value) }
        if let type { request.headers.add(name: "Content-Type", value: type) }
        request.body = body
        let response = try await HTTPClient.shared.execute(request, timeout: timeout)
        if (200..<300).contains(response.status.code) { return response }
        let bytes = Array(try await response.body.collect(upTo: Self.answerMost).readableBytesView)
        let problem: JSONValue
        do { problem = try JSONValue(parsing: bytes) } catch { problem = .null }
        let detail = problem["detail"]?.string ?? String(decoding: bytes.prefix(500), as: UTF8.self)
        throw Refused(description: "the hub answered \(response.status.code): \(detail)")
    }

    /// The headers that name whose data is meant: what the token itself says.
    private func owners() throws -> [(String, String)] {
        if let tenant, let organisation { return [("X-Tenant-ID", tenant), ("X-Org-ID", organisation)] }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64.decode(String(parts[1]), .url) else { return [] }
        let claims = try JSONValue(parsing: payload)
        return [("X-Tenant-ID", "tenant_id"), ("X-Org-ID", "org_id")].compactMap { name, claim in
            claims[claim]?.string.map { (name, $0) }
        }
    }
}
