import Crypto
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore

extension RouterMethods where Context == TenantContext {
    /// A group whose POSTs honour `Idempotency-Key`. Put it behind `requiring`: an answer is given again only to
    /// callers who would have been let through.
    package func idempotent(_ store: IdempotencyStore) -> RouterGroup<TenantContext> {
        group().add(middleware: IdempotencyMiddleware(store: store))
    }
}

/// Gives a repeated call its first answer: same key and same request, stored answer; same key and another request, or
/// a first call that still runs, 409. Calls that made nothing (no 2xx) leave their key free.
struct IdempotencyMiddleware: RouterMiddleware {
    typealias Context = TenantContext

    /// Answers are short documents about what was made; a longer one is passed on and not kept.
    private static let answerLimit = 1 << 20
    private static let keyLength = 1...255

    let store: IdempotencyStore

    func handle(
        _ request: Request, context: TenantContext, next: (Request, TenantContext) async throws -> Response
    ) async throws -> Response {
        guard request.method == .post, let key = try Self.key(of: request) else {
            return try await next(request, context)
        }
        let body = try await context.body(of: request)
        let scope = context.principal.scope
        let digest = Self.digest(request, context.principal, body)
        switch try await store.claim(key, digest: digest, in: scope) {
        case .otherRequest: throw Problem.conflict("This Idempotency-Key was used for another request.")
        case .running:
            var problem = Problem.conflict("The first call with this Idempotency-Key still runs.")
            problem.headers[.retryAfter] = "1"
            throw problem
        case .replay(let answer): return Self.response(answer)
        case .run(let claim):
            var request = request
            request.body = .init(buffer: ByteBuffer(bytes: body))
            return try await run(request, context, key, claim, next)
        }
    }

    /// The request's key, if it has one; a call that keeps its own answers asks for it too.
    static func key(of request: Request) throws -> String? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard keyLength.contains(key.utf8.count) else {
            throw Problem.badRequest("The header Idempotency-Key must have 1 to 255 characters.")
        }
        return key
    }

    private func run(
        _ request: Request, _ context: TenantContext, _ key: String, _ claim: Timestamp,
        _ next: (Request, TenantContext) async throws -> Response
    ) async throws -> Response {
        let scope = context.principal.scope
        do {
            let response = try await next(request, context)
            guard response.status.kind == .successful, let answer = try await Self.answer(of: response) else {
                await attempt(context) { try await store.release(key, claim, in: scope) }
                return response
            }
            // What was made is made: when its answer cannot be kept, the caller still gets it.
            await attempt(context) { try await store.finish(key, claim, in: scope, with: answer) }
            var kept = Self.response(answer)
            kept.headers = response.headers
            return kept
        } catch {
            await attempt(context) { try await store.release(key, claim, in: scope) }
            throw error
        }
    }

    private func attempt(_ context: TenantContext, _ body: () async throws -> Void) async {
        do { try await body() } catch {
            context.log.warning("idempotency key not settled", metadata: ["error": .string("\(error)")])
        }
    }

    /// The user belongs to the request: two of an organisation's callers may not see each other's answers.
    private static func digest(_ request: Request, _ principal: Principal, _ body: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("\(request.method.rawValue) \(request.uri.string)\n\(principal.user)\n".utf8))
        hash.update(data: body)
        return Array(hash.finalize())
    }

    private static func answer(of response: Response) async throws -> StoredAnswer? {
        guard let length = response.body.contentLength, length <= answerLimit else { return nil }
        let collected = CollectedBody()
        try await response.body.write(CollectingWriter(collected: collected))
        return StoredAnswer(
            status: response.status.code, contentType: response.headers[.contentType], body: collected.bytes)
    }

    private static func response(_ answer: StoredAnswer) -> Response {
        var headers: HTTPFields = [.idempotencyReplayed: "true"]
        if let type = answer.contentType { headers[.contentType] = type }
        return Response(
            status: HTTPResponse.Status(code: answer.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}

/// Used by one task only, from the start of writing to its end.
private final class CollectedBody {
    var bytes: [UInt8] = []
}

private struct CollectingWriter: ResponseBodyWriter {
    let collected: CollectedBody

    func write(_ buffer: ByteBuffer) { collected.bytes.append(contentsOf: buffer.readableBytesView) }
    consuming func finish(_ trailingHeaders: HTTPFields?) {}
}
