import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The few calls that set a run up and ask what came of it; nothing that is measured goes through here.
struct ControlClient: Sendable {
    let address: String
    var headers: [(String, String)] = []

    struct Answer {
        let status: UInt
        let body: ByteBuffer

        func decoded<T: Decodable>(_: T.Type = T.self) throws -> T {
            try JSONDecoder().decode(T.self, from: Data(body.readableBytesView))
        }
    }

    func get(_ path: String) async throws -> Answer { try await call("GET", path, json: nil) }

    func post(_ path: String, json: String) async throws -> Answer { try await call("POST", path, json: json) }

    func patch(_ path: String, json: String) async throws -> Answer { try await call("PATCH", path, json: json) }

    func put(_ path: String, json: String) async throws -> Answer { try await call("PUT", path, json: json) }

    /// The sum over all label sets of one counter in the Prometheus text; nil when the server doesn't publish it.
    func counter(_ name: String) async throws -> Double? {
        let text = String(buffer: try await require(get("/metrics"), 200, "metrics").body)
        let values = text.split(separator: "\n").filter { $0.hasPrefix("\(name) ") || $0.hasPrefix("\(name){") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        return values.isEmpty ? nil : values.reduce(0, +)
    }

    func require(_ answer: Answer, _ status: UInt, _ what: String) throws -> Answer {
        guard answer.status == status else {
            throw BenchError(
                "\(what): \(answer.status) instead of \(status): \(String(buffer: answer.body).prefix(300))")
        }
        return answer
    }

    private func call(_ method: String, _ path: String, json: String?) async throws -> Answer {
        var request = HTTPClientRequest(url: address + path)
        request.method = HTTPMethod(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let json {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        return Answer(status: response.status.code, body: try await response.body.collect(upTo: 64 << 20))
    }
}
