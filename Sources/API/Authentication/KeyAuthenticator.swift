import HTTPTypes
import Hummingbird
import Kernel
import Signing

extension HTTPField.Name {
    package static let apiKey = HTTPField.Name.constant("X-API-Key")
}

/// Lets callers in that can send no headers of ours, crawlers and agents: an API key by itself says whose it is.
///
/// The key comes as the password of HTTP Basic with any user name, as `X-API-Key`, or as a bearer without the two
/// headers. All other requests are the `Authenticator`'s.
package struct KeyAuthenticator: RouterMiddleware {
    package typealias Context = AppContext

    private let others: Authenticator

    package init(others: Authenticator) { self.others = others }

    package func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard let key = key(request.headers) else {
            do { return try await others.handle(request, context: context, next: next) } catch var problem as Problem {
                // What a crawler's settings have fields for; the bearer stands beside it.
                if problem.status == .unauthorized { problem.headers[.wwwAuthenticate] = KeyAuthenticator.challenge }
                throw problem
            }
        }
        guard APIKeyStore.isKey(key) else {
            throw Problem.unauthorized("The password must be an API key; the user name may be anything.")
        }
        let (principal, credential) = try await others.principal(bearer: key)
        var context = context
        context.principal = principal
        context.credential = credential
        return try await next(request, context)
    }

    private static let challenge = "Basic realm=\"catalogue\", charset=\"UTF-8\", Bearer"

    private func key(_ headers: HTTPFields) -> Substring? {
        if let key = headers[.apiKey] { return key[...] }
        guard let field = headers[.authorization] else { return nil }
        if headers[.tenantID] == nil, headers[.organisationID] == nil, let bearer = Authenticator.bearer(field),
            APIKeyStore.isKey(bearer)
        {
            return bearer
        }
        let scheme = field.prefix { $0 != " " }
        guard scheme.lowercased() == "basic" else { return nil }
        let text = field[scheme.endIndex...].drop { $0 == " " }
        // A field that can't be read is a wrong password, and told as one.
        guard let bytes = Base64.decode(text), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return "" }
        return Substring(String(decoding: bytes[(colon + 1)...], as: UTF8.self))
    }
}
