import Hummingbird
import Kernel
import Logging
import NIOCore

/// The context of routes behind the `Authenticator`: here a principal is a fact, not a possibility.
package struct TenantContext: ChildRequestContext, IdentifiedContext {
    package var coreContext: CoreRequestContextStorage
    package let channel: any Channel
    package let requestID: String
    package let bodies: BodyReader
    package let principal: Principal

    /// Fails with 401 when no `Authenticator` stands before the group, so that a forgotten one opens nothing.
    package init(context: AppContext) throws {
        guard let principal = context.principal else { throw Problem.unauthorized("This needs a bearer token.") }
        coreContext = context.coreContext
        channel = context.channel
        requestID = context.requestID
        bodies = context.bodies
        self.principal = principal
    }

    package var log: Logger {
        var logger = logger
        logger[metadataKey: "request_id"] = .string(requestID)
        logger[metadataKey: "tenant_id"] = .string(principal.tenant.description)
        return logger
    }
}

extension RouterMethods where Context == TenantContext {
    /// A group that callers below this role are answered 403 in.
    package func requiring(_ role: Role) -> RouterGroup<TenantContext> {
        group().add(middleware: RoleMiddleware(least: role))
    }
}

private struct RoleMiddleware: RouterMiddleware {
    typealias Context = TenantContext

    let least: Role

    func handle(
        _ request: Request, context: TenantContext, next: (Request, TenantContext) async throws -> Response
    ) async throws -> Response {
        guard context.principal.role >= least else {
            let held = context.principal.role.rawValue
            throw Problem.forbidden("This needs the role \(least.rawValue); the token has \(held).")
        }
        return try await next(request, context)
    }
}
