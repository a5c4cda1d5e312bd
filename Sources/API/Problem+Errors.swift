import HTTPTypes
import Hummingbird
import Kernel
import Storage

extension Problem {
    /// The one place where an error becomes an answer. Nil for an error that means a defect: the caller is then told
    /// the request id and nothing else, and the log gets the error.
    package init?(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let refusal as Refusal: self.init(refusal)
        case let document as InvalidDocument:
            let what = document.faults.count == 1 ? "One field is not valid." : "Some fields are not valid."
            self.init(.unprocessableContent, what, faults: document.faults)
        case let syntax as JSONSyntaxError: self.init(.badRequest, "The body is not valid JSON: \(syntax).")
        case let storage as StorageError:
            switch storage.code {
            case .unavailable: self = .unavailable("Nothing can be stored at the moment; please try again.")
            case .conflict: self = .unavailable("Another change came in between; please try again.")
            case .constraint, .corrupt, .misuse: return nil
            }
        case let http as HTTPError: self.init(http)
        case is CancellationError: self = .unavailable("The server is shutting down.")
        case let other as any HTTPResponseError where other.status.code < 500:
            self.init(other.status, Problem.sentence(for: other.status))
        default: return nil
        }
    }

    /// What the caller of a request that met a defect is told.
    package static let fault = Problem(
        .internalServerError, "Something went wrong here. Quote the request id when you report it.")

    private init(_ refusal: Refusal) {
        let status: HTTPResponse.Status =
            switch refusal.kind {
            case .malformed: .badRequest
            case .unauthenticated: .unauthorized
            case .forbidden: .forbidden
            case .notFound: .notFound
            case .conflict: .conflict
            case .gone: .gone
            case .stale: .preconditionFailed
            case .invalid: .unprocessableContent
            case .tooMany: .tooManyRequests
            case .unavailable: .serviceUnavailable
            }
        self.init(status, refusal.sentence, faults: refusal.faults, fields: refusal.fields)
        // Both say "later", so both say when, even where the service named no number.
        if refusal.kind == .stale { headers[.eTag] = refusal.fields.first { $0.name == "etag" }?.value.string }
        let mustSayWhen = refusal.kind == .unavailable || refusal.kind == .tooMany
        if let seconds = refusal.retryAfter ?? (mustSayWhen ? 1 : nil) { headers[.retryAfter] = String(seconds) }
    }

    private init?(_ error: HTTPError) {
        guard error.status.code < 500 else { return nil }
        self.init(error.status, error.body ?? Problem.sentence(for: error.status), headers: error.headers)
    }

    private static func sentence(for status: HTTPResponse.Status) -> String {
        switch status {
        case .notFound: "There is no such route."
        case .methodNotAllowed: "This route does not take this method."
        case .contentTooLarge: "The body is too large."
        default: "\(status.reasonPhrase)."
        }
    }
}
