import HTTPTypes

/// One outgoing HTTP request: an absolute https or http URL, at most one value a header name.
package struct OutgoingRequest: Sendable {
    package var method: HTTPRequest.Method
    package var url: String
    package var headers: HTTPFields
    package var body: [UInt8]
    /// From the start of the call to the end of the answer's kept part.
    package var timeout: Duration
    /// Bytes of the answer's body that are kept; the rest is thrown away.
    package var responseLimit: Int

    package init(
        method: HTTPRequest.Method, url: String, headers: HTTPFields = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(10), responseLimit: Int = Limits.responseBodyBytes
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.responseLimit = responseLimit
    }
}

/// How long the parts of a call took. A part that the call did not come to, or did not need because a kept connection
/// served it, is nil; the first three do not overlap.
package struct CallPhases: Hashable, Sendable {
    /// Until the addresses of the host were known and judged.
    package var dns: Duration?
    /// Until one of the addresses had accepted a TCP connection, failed ones included.
    package var connect: Duration?
    /// The handshake, certificate check included.
    package var tls: Duration?
    /// From the start of the call to the first byte of the answer.
    package var firstByte: Duration?
    /// From the start of the call to its end, however it ended.
    package var total: Duration?

    package init(
        dns: Duration? = nil, connect: Duration? = nil, tls: Duration? = nil, firstByte: Duration? = nil,
        total: Duration? = nil
    ) {
        self.dns = dns
        self.connect = connect
        self.tls = tls
        self.firstByte = firstByte
        self.total = total
    }
}

/// What came back. Redirects are answers like any other: nothing follows them.
package struct IncomingResponse: Sendable {
    package let status: Int
    package let headers: HTTPFields
    package let body: [UInt8]
    /// Nil from an exchange that does not time its parts.
    package let phases: CallPhases?

    package init(status: Int, headers: HTTPFields = [:], body: [UInt8] = [], phases: CallPhases? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.phases = phases
    }
}

/// Why no answer came, in the classes that attempts are recorded with.
package struct ExchangeError: Error, Sendable, CustomStringConvertible {
    package enum Class: String, Sendable {
        case dns
        case connect
        case tls
        case timeout
        /// The guard of outgoing addresses refused the address; nothing was sent.
        case refusedAddress = "refused_address"
        /// The peer broke off or spoke no HTTP.
        case body
    }

    package let errorClass: Class
    package let detail: String
    /// The parts that the call came through; nil from an exchange that does not time them.
    package let phases: CallPhases?

    package init(_ errorClass: Class, _ detail: String, phases: CallPhases? = nil) {
        self.errorClass = errorClass
        self.detail = detail
        self.phases = phases
    }

    package var description: String { "\(errorClass.rawValue): \(detail)" }
}

/// Performs outgoing HTTP calls. It never follows redirects and never retries: both are the caller's decisions.
package protocol HTTPExchange: Sendable {
    func send(_ request: OutgoingRequest) async throws(ExchangeError) -> IncomingResponse
}
