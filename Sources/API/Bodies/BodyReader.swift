import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// Reads request bodies: whole, bounded, in bounded time, and copied once.
package struct BodyReader: Sendable {
    package let limit: Int
    let watch: SlowBodyWatch?

    /// - Parameters:
    ///   - limit: bytes of a body at the most; one more is answered 413.
    ///   - watch: breaks off bodies that take too long; nil waits for ever.
    package init(limit: Int = Limits.bodyBytes, watch: SlowBodyWatch?) {
        self.limit = min(limit, Limits.bodyBytesMost)
        self.watch = watch
    }

    package static let standard = BodyReader(watch: nil)

    /// The body's bytes, exactly as they came: signatures are checked over these.
    package func bytes(of request: Request, on channel: any Channel) async throws -> [UInt8] {
        let declared = request.headers[.contentLength].flatMap { Int($0) }
        if declared == 0 { return [] }
        guard let watch else { return try await collect(request.body, declared: declared) }
        let ticket = watch.begin(channel)
        do {
            let bytes = try await collect(request.body, declared: declared)
            watch.end(ticket)
            return bytes
        } catch let problem as Problem where problem.status == .contentTooLarge {
            // The ticket stays: a sender that goes on after its 413 is read and thrown away only until the deadline.
            throw problem
        } catch {
            watch.end(ticket)
            throw error
        }
    }

    /// The same for a body by itself, with the length that was announced for it.
    func collect(_ body: RequestBody, declared: Int?) async throws -> [UInt8] {
        if let declared, declared > limit { throw Problem.tooLarge(limit: limit) }
        var bytes: [UInt8] = []
        // A declared length is only a claim: what is reserved for it stays small until the bytes are there.
        bytes.reserveCapacity(min(declared ?? 1024, 64 << 10))
        do {
            for try await buffer in body {
                if bytes.count + buffer.readableBytes > limit { throw Problem.tooLarge(limit: limit) }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
        } catch let problem as Problem {
            throw problem
        } catch let error as CancellationError {
            throw error
        } catch {
            throw BodyReader.problem(of: error)
        }
        if let declared, bytes.count < declared { throw BodyReader.cutOff }
        return bytes
    }

    /// What a sender is told whose body broke off with an error of the connection.
    static func problem(of error: any Error) -> Problem {
        guard error is SlowBody else { return cutOff }
        return Problem(.requestTimeout, "The body took too long to arrive.", headers: [.connection: "close"])
    }

    static let cutOff = Problem(
        .badRequest, "The body ended before its announced length.", headers: [.connection: "close"])
}

extension IdentifiedContext {
    /// The request's body, bounded in size and time.
    package func body(of request: Request) async throws -> [UInt8] {
        try await bodies.bytes(of: request, on: channel)
    }

    /// The request's body as JSON, whatever its content type says; 400 for anything that is not.
    package func json(of request: Request) async throws -> JSONValue {
        try JSONValue(parsing: try await body(of: request))
    }

    /// Reads a body that is one JSON object through `FieldReader`: 400 for no JSON, 422 with pointers for bad fields.
    package func read<T>(_ request: Request, _ body: (FieldReader) throws -> T) async throws -> T {
        try FieldReader.read(try await json(of: request), body)
    }

    /// The same where no body at all means an empty object.
    package func readOptional<T>(_ request: Request, _ body: (FieldReader) throws -> T) async throws -> T {
        let bytes = try await self.body(of: request)
        let value = bytes.isEmpty ? JSONValue.object(.empty) : try JSONValue(parsing: bytes)
        return try FieldReader.read(value, body)
    }
}
