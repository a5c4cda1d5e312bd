import HTTPTypes
import Hummingbird
import Kernel

/// Puts requests that change the installation on record, by what `OperationCatalog` says of their routes.
struct AuditMiddleware: RouterMiddleware {
    typealias Context = AppContext

    private static let audited: [String: (action: String, subject: AuditSubject, name: String?)] = {
        var found: [String: (action: String, subject: AuditSubject, name: String?)] = [:]
        for operation in OperationCatalog.groups.flatMap(\.operations) {
            guard let subject = operation.audit else { continue }
            found["\(operation.method.rawValue) \(operation.path)"] = (
                operation.id, subject, operation.pathNames.first
            )
        }
        return found
    }()

    let address: ClientAddress

    func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard request.method != .get, let principal = context.principal, let path = context.endpointPath,
            let audited = Self.audited["\(request.method.rawValue) \(path)"]
        else { return try await next(request, context) }
        let call = AuditedCall(
            principal: principal, credential: context.credential, requestID: context.requestID,
            address: address.text(of: request.headers, from: context.remoteAddress), action: audited.action,
            subject: audited.subject,
            pathID: audited.name.flatMap { context.parameters.get($0) })
        defer { call.end() }
        return try await AuditedCall.$current.withValue(call) { try await next(request, context) }
    }
}
