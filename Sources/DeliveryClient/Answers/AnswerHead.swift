import HTTPTypes

/// Bytes that are no answer of HTTP/1.1, and where they went wrong.
struct MalformedAnswer: Error {
    let words: String

    init(_ words: String) { self.words = words }
}

/// Status line and fields of an answer, and what they say about its body (RFC 9112 section 6.3).
struct AnswerHead: Sendable {
    enum Framing: Equatable, Sendable {
        case length(Int)
        case chunked
        /// The body ends where the connection does.
        case untilClose
    }

    let status: Int
    let fields: HTTPFields
    let framing: Framing
    /// Whether the peer leaves the connection open behind this answer.
    let keepsAlive: Bool
    /// Seconds that the peer says it keeps an idle connection (`Keep-Alive: timeout=`); nil where it says nothing.
    let keepAliveSeconds: Int?

    /// An announcement before the real answer. After 101 no HTTP would follow: it is taken for an end.
    var isInterim: Bool { 100...199 ~= status && status != 101 }

    /// More fields than any honest answer has.
    private static let fieldsLimit = 256

    /// Reads a head with its empty last line. A lone line feed ends a line, as RFC 9112 section 2.2 allows.
    init(_ bytes: UnsafeRawBufferPointer) throws(MalformedAnswer) {
        var rest = bytes[...]
        let statusLine = AnswerHead.nextLine(&rest)
        let (status, minor) = try AnswerHead.readStatus(statusLine)
        var fields: [(name: HTTPField.Name, value: ArraySlice<UInt8>)] = []
        while !rest.isEmpty {
            let line = AnswerHead.nextLine(&rest)
            guard let first = line.first else { break }
            if first == space || first == tab {
                guard let last = fields.indices.last else { throw MalformedAnswer("the first field has no name") }
                fields[last].value += [space] + trimmed(line)
                continue
            }
            guard fields.count < AnswerHead.fieldsLimit else { throw MalformedAnswer("too many header fields") }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
            else { throw MalformedAnswer("a header field has no proper name") }
            fields.append((name, Array(trimmed(line[(colon + 1)...]))[...]))
        }
        var hints = FramingHints()
        var kept = HTTPFields()
        kept.reserveCapacity(fields.count)
        for (name, value) in fields {
            try hints.see(name, value)
            kept.append(HTTPField(name: name, lenientValue: value))
        }
        self.status = status
        self.fields = kept
        framing = hints.framing
        keepAliveSeconds = hints.keepAliveSeconds
        keepsAlive = hints.keepsAlive(minorVersion: minor)
    }

    /// How the body of this answer ends, once the request's method is known.
    func framing(afterHEAD: Bool) -> Framing {
        afterHEAD || status < 200 || status == 204 || status == 304 ? .length(0) : framing
    }

    private static func nextLine(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        let end = rest.firstIndex(of: lineFeed) ?? rest.endIndex
        var line = rest[..<end]
        rest = end < rest.endIndex ? rest[(end + 1)...] : rest[end...]
        if line.last == carriageReturn { line = line.dropLast() }
        return line
    }

    private static func readStatus(
        _ line: Slice<UnsafeRawBufferPointer>
    ) throws(MalformedAnswer) -> (status: Int, minor: Int) {
        // "HTTP/1.1 204" with a reason or without one.
        guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), line.count == 12 || byte(12) == space,
            let minor = digit(7), byte(8) == space, let first = digit(9), let second = digit(10),
            let third = digit(11), first >= 1
        else { throw MalformedAnswer("the peer speaks no HTTP/1.1") }
        return (first * 100 + second * 10 + third, minor)

        func byte(_ offset: Int) -> UInt8 { line[line.startIndex + offset] }
        func digit(_ offset: Int) -> Int? {
            let value = byte(offset) &- UInt8(ascii: "0")
            return value <= 9 ? Int(value) : nil
        }
    }
}

/// What the fields seen so far say about the body and the connection.
private struct FramingHints {
    private var length: Int?
    private var isEncoded = false
    private var isChunked = false
    private var saysClose = false
    private var saysKeepAlive = false
    private(set) var keepAliveSeconds: Int?

    var framing: AnswerHead.Framing {
        if isEncoded { return isChunked ? .chunked : .untilClose }
        return length.map { .length($0) } ?? .untilClose
    }

    func keepsAlive(minorVersion: Int) -> Bool {
        // Two framings at once: one of the two ends disagrees with somebody in between (RFC 9112 section 6.3).
        if saysClose || (isEncoded && length != nil) { return false }
        return minorVersion >= 1 ? true : saysKeepAlive && !isEncoded
    }

    mutating func see(_ name: HTTPField.Name, _ value: ArraySlice<UInt8>) throws(MalformedAnswer) {
        switch name.canonicalName {
        case "content-length":
            for part in words(value) {
                guard let number = Int(part), number >= 0, part.utf8.count <= 18, part.utf8.first != UInt8(ascii: "+"),
                    length == nil || length == number
                else { throw MalformedAnswer("the content length is no number") }
                length = number
            }
        case "transfer-encoding":
            isEncoded = true
            isChunked = words(value).last == "chunked"
        case "connection":
            for part in words(value) {
                if part == "close" { saysClose = true }
                if part == "keep-alive" { saysKeepAlive = true }
            }
        case "keep-alive":
            for part in words(value) where part.hasPrefix("timeout=") {
                if let seconds = Int(part.dropFirst("timeout=".count)), seconds >= 0 { keepAliveSeconds = seconds }
            }
        default: break
        }
    }

    /// The members of a comma-separated list, in lower case.
    private func words(_ value: ArraySlice<UInt8>) -> [String] {
        value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
            String(decoding: trimmed($0), as: UTF8.self).lowercased()
        }
    }
}

private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")
private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")

private func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
    guard let first = bytes.firstIndex(where: { $0 != space && $0 != tab }),
        let last = bytes.lastIndex(where: { $0 != space && $0 != tab })
    else { return bytes[bytes.endIndex...] }
    return bytes[first...last]
}
