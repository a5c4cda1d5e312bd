import Events
import HTTPTypes
import Hummingbird
import Kernel

extension HTTPField.Name {
    package static let tenantID = HTTPField.Name.constant("X-Tenant-ID")
    package static let organisationID = HTTPField.Name.constant("X-Org-ID")
    package static let requestID = HTTPField.Name.constant("X-Request-ID")
    package static let idempotencyKey = HTTPField.Name.constant("Idempotency-Key")
    package static let idempotencyReplayed = HTTPField.Name.constant("Idempotency-Replayed")
    package static let rateLimitLimit = HTTPField.Name.constant("X-RateLimit-Limit")
    package static let rateLimitRemaining = HTTPField.Name.constant("X-RateLimit-Remaining")
    package static let forwardedFor = HTTPField.Name.constant("X-Forwarded-For")
    package static let totalCount = HTTPField.Name.constant("X-Total-Count")
    package static let lastEventID = HTTPField.Name.constant("Last-Event-ID")
    package static let accelBuffering = HTTPField.Name.constant("X-Accel-Buffering")

    /// A name that is spelt in code, where it cannot be wrong.
    static func constant(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return name
    }
}

/// Lets only callers through whose token or key is good and whose two headers name its tenant and organisation.
///
/// 401 for a missing or bad bearer, 400 for a missing or malformed header, 403 for headers that are not the token's.
package struct Authenticator: RouterMiddleware {
    package typealias Context = AppContext

    private let tokens: TokenVerifier
    private let keys: APIKeyStore
    private let tenants: TenantRegistry

    package init(tokens: TokenVerifier, keys: APIKeyStore, tenants: TenantRegistry) {
        self.tokens = tokens
        self.keys = keys
        self.tenants = tenants
    }

    package func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard let field = request.headers[.authorization] else {
            throw Problem.unauthorized("This needs a bearer token.")
        }
        let (principal, credential) = try await principal(authorization: field)
        try check(request.headers, against: principal)
        if !tenants.knows(principal.scope) { try await tenants.ensure(principal.scope) }
        var context = context
        context.principal = principal
        context.credential = credential
        return try await next(request, context)
    }

    /// Who an `Authorization: Bearer …` header speaks for. Known tokens and keys are recognised without suspending.
    package func principal(authorization field: String) async throws -> (Principal, CredentialKey) {
        guard let text = Authenticator.bearer(field) else {
            throw Problem.unauthorized("The Authorization header must be Bearer and a token.")
        }
        return try await principal(bearer: text)
    }

    /// The same for a bare token or key, for routes that get one by another way than the header.
    package func principal(bearer text: Substring) async throws -> (Principal, CredentialKey) {
        let credential = CredentialKey(hashing: text)
        if APIKeyStore.isKey(text) {
            if let known = keys.recall(credential) { return (known, credential) }
            guard let found = try await keys.find(credential) else {
                throw Problem.unauthorized("The API key is not known or was revoked.", isToken: true)
            }
            return (found, credential)
        }
        if let known = tokens.recall(credential) { return (known, credential) }
        do {
            return (try await tokens.verify(text, key: credential), credential)
        } catch let error as TokenError {
            throw Problem.unauthorized(error.description, isToken: true)
        }
    }

    /// Who a request speaks for, as far as nobody has to be asked; nil for every request that is not let through so.
    func recall(_ headers: HTTPFields) -> (Principal, CredentialKey)? {
        guard let text = headers[.authorization].flatMap(Authenticator.bearer) else { return nil }
        let credential = CredentialKey(hashing: text)
        guard let principal = APIKeyStore.isKey(text) ? keys.recall(credential) : tokens.recall(credential),
            let tenant: TenantID = Authenticator.id(headers[.tenantID]), tenant == principal.tenant,
            let organisation: OrganisationID = Authenticator.id(headers[.organisationID]),
            organisation == principal.organisation, tenants.knows(principal.scope)
        else { return nil }
        return (principal, credential)
    }

    private func check(_ headers: HTTPFields, against principal: Principal) throws {
        let tenant: TenantID = try Authenticator.id(headers[.tenantID], named: "X-Tenant-ID")
        let organisation: OrganisationID = try Authenticator.id(headers[.organisationID], named: "X-Org-ID")
        guard tenant == principal.tenant else { throw Problem.forbidden("X-Tenant-ID is not the token's tenant.") }
        guard organisation == principal.organisation else {
            throw Problem.forbidden("X-Org-ID is not the token's organisation.")
        }
    }

    private static func id<Kind>(_ text: String?, named name: String) throws -> ID<Kind> {
        guard let text else { throw Problem.badRequest("The header \(name) is missing.") }
        guard let id: ID<Kind> = id(text) else { throw Problem.badRequest("The header \(name) is not a UUID.") }
        return id
    }

    /// Only the UUID form: the seed says so, and a ULID here would be somebody's mistake.
    private static func id<Kind>(_ text: String?) -> ID<Kind>? {
        guard let text, text.utf8.count == 36 else { return nil }
        return ID<Kind>(text)
    }

    /// The token of a `Bearer` field; the scheme's name is compared without regard to case (RFC 9110, 11.1).
    static func bearer(_ field: String) -> Substring? {
        let scheme = field.utf8.prefix(7)
        guard scheme.elementsEqual("bearer ".utf8, by: { $0 == $1 || ($0 | 0x20 == $1 && $1 != 0x20) }) else {
            return nil
        }
        // By bytes: each request comes through here, and going by characters took an eighth of a small one.
        let token = field.utf8[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
        let space = UInt8(ascii: " ")
        let hasSpace = token.withContiguousStorageIfAvailable { $0.contains(space) } ?? token.contains(space)
        return token.isEmpty || hasSpace ? nil : Substring(token)
    }
}
