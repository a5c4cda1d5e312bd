import HTTPTypes
import Hummingbird
import Integrations
import Kernel

/// Where stores and gateways post their deliveries: public, known by their signatures.
struct InboundRoutes {
    let intake: Intake

    func mount(on routes: some RouterMethods<AppContext>) {
        routes.post("/unified/webhook", use: unified)
        routes.post("/webhooks/{provider}/{connection}", use: native)
    }

    @Sendable private func unified(_ request: Request, _ context: AppContext) async throws -> JSONResponse {
        let body = try await context.body(of: request)
        return answer(try await intake.acceptUnified(body: body, headers: request.headers))
    }

    @Sendable private func native(_ request: Request, _ context: AppContext) async throws -> JSONResponse {
        let provider = context.parameters.get("provider") ?? ""
        // A text that is no id names no connection: the intake answers it as any other unknown one.
        let connection = context.parameters.get("connection").flatMap { ConnectionID($0) } ?? .zero
        let body = try await context.body(of: request)
        return answer(
            try await intake.accept(provider: provider, connection: connection, body: body, headers: request.headers))
    }

    private func answer(_ answer: Intake.Answer) -> JSONResponse {
        JSONResponse { writer in
            switch answer {
            case .accepted(let id):
                writer.field("status", "accepted")
                writer.field("id", id)
            case .duplicate(let id):
                writer.field("status", "duplicate")
                writer.field("id", id)
            case .greeting: writer.field("status", "ok")
            }
        }
    }
}
