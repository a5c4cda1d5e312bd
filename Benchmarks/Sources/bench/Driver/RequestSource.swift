import NIOCore

/// What a run sends, request after request.
protocol RequestSource: AnyObject, Sendable {
    /// Bytes that a request has at the most.
    var length: Int { get }

    /// Replaces the buffer's content by request `number`.
    func write(_ number: Int, into buffer: inout ByteBuffer)
}

/// Requests of one text, in whose body each `{n}` becomes the request's number.
final class NumberedRequests: RequestSource {
    private let head: String
    private let parts: [Substring]
    private static let digits = 12

    var length: Int { head.utf8.count + parts.reduce(40) { $0 + $1.utf8.count + Self.digits } }

    /// - Parameter headers: those that name the caller.
    init(_ method: String, _ path: String, body: String, headers: [(String, String)]) {
        let headers = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(headers)Content-Type: application/json\r\n"
        var parts: [Substring] = []
        var rest = body[...]
        while let mark = rest.firstRange(of: "{n}") {
            parts.append(rest[..<mark.lowerBound])
            rest = rest[mark.upperBound...]
        }
        self.parts = parts + [rest]
    }

    func write(_ number: Int, into buffer: inout ByteBuffer) {
        let digits = String(number)
        let bodyLength = parts.reduce((parts.count - 1) * digits.utf8.count) { $0 + $1.utf8.count }
        buffer.clear()
        buffer.writeString(head)
        buffer.writeString("Content-Length: \(bodyLength)\r\n\r\n")
        for (index, part) in parts.enumerated() {
            if index > 0 { buffer.writeString(digits) }
            buffer.writeSubstring(part)
        }
    }
}

/// The requests of several sources, dealt out by number: each source is asked for the run's own number.
final class DealtRequests: RequestSource {
    let length: Int
    private let sources: [any RequestSource]
    private let source: @Sendable (_ number: Int) -> Int

    /// - Parameter source: the index of the one whose request has that number.
    init(_ sources: [any RequestSource], by source: @escaping @Sendable (_ number: Int) -> Int) {
        self.sources = sources
        self.source = source
        length = sources.map(\.length).max() ?? 0
    }

    func write(_ number: Int, into buffer: inout ByteBuffer) { sources[source(number)].write(number, into: &buffer) }
}
