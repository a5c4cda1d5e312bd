import HTTPTypes
import Kernel
import NIOCore
import Synchronization

/// An endpoint's URL, read and judged once, in the shapes that each request needs.
final class Route: Sendable {
    let url: EgressURL
    /// Scheme, host and port: what connections are shared by.
    let endpoint: String
    /// The request line behind the method, and the `Host` field.
    let lineAndHost: [UInt8]
    /// The name that the peer's certificate must carry; nil for a literal address, which it must carry itself.
    let serverName: String?

    init(_ url: EgressURL) {
        self.url = url
        endpoint = "\(url.scheme.rawValue)://\(url.hostText):\(url.port)"
        lineAndHost = Array(" \(url.target) HTTP/1.1\r\nHost: \(url.authority)\r\n".utf8)
        if case .name(let name) = url.host { serverName = name } else { serverName = nil }
    }

    /// A number by which endpoints are spread over event loops.
    var spread: Int { endpoint.hashValue & .max }

    /// Writes the head of a request. Fields that tell of the connection or the body are ours alone to say.
    func write(_ request: OutgoingRequest, to buffer: inout ByteBuffer) {
        buffer.writeString(request.method.rawValue)
        buffer.writeBytes(lineAndHost)
        for field in request.headers {
            switch field.name.canonicalName {
            case "host", "connection", "keep-alive", "content-length", "transfer-encoding", "expect", "upgrade", "te":
                continue
            default:
                buffer.writeString(field.name.rawName)
                buffer.writeStaticString(": ")
                field.withUnsafeBytesOfValue { _ = buffer.writeBytes($0) }
                buffer.writeStaticString("\r\n")
            }
        }
        if !request.body.isEmpty || request.method != .get {
            buffer.writeStaticString("Content-Length: ")
            buffer.writeDecimal(request.body.count)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("\r\n")
    }
}

/// The routes of the URLs in use. Two generations, so that a full one costs nobody in use its route.
final class RouteCache: Sendable {
    private struct Generations {
        var new: [String: Route] = [:]
        var old: [String: Route] = [:]
    }

    private let policy: EgressPolicy
    private let limit: Int
    private let generations = Mutex(Generations())

    /// - Parameter limit: routes of one generation; some hundred bytes each.
    init(policy: EgressPolicy, limit: Int = 8192) {
        self.policy = policy
        self.limit = limit
    }

    /// The route to a URL; throws refused_address for one that the policy doesn't allow.
    func route(to text: String) throws(ExchangeError) -> Route {
        if let known = generations.withLock({ $0.new[text] }) { return known }
        let route: Route
        if let older = generations.withLock({ $0.old[text] }) {
            route = older
        } else {
            do throws(EgressRefusal) { route = Route(try policy.judge(url: text)) } catch {
                throw ExchangeError(.refusedAddress, error.sentence)
            }
        }
        generations.withLock { generations in
            if generations.new.count >= limit {
                generations.old = generations.new
                generations.new = [:]
            }
            generations.new[text] = route
        }
        return route
    }
}

extension ByteBuffer {
    /// Writes a number of zero or more in decimal digits.
    fileprivate mutating func writeDecimal(_ number: Int) {
        if number >= 10 { writeDecimal(number / 10) }
        writeInteger(UInt8(ascii: "0") + UInt8(number % 10))
    }
}
