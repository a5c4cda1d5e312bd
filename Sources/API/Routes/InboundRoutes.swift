import HTTPTypes
import Hummingbird
import Integrations
import Kernel

/// Where stores and gateways post their deliveries: public, known by their signatures.
struct InboundRoutes {
    let intake: Intake

    func mount(on routes: some RouterMethods<AppContext>) {
        routes.post("\(Self.unifiedPath)", use: unified)
        routes.post("\(Self.nativePattern)", use: native)
    }

    static let unifiedPath = "/unified/webhook"
    static let nativePrefix = "/webhooks/"
    static let nativePattern = "/webhooks/{provider}/{connection}"

    @Sendable private func unified(_ request: Request, _ context: AppContext) async throws -> JSONResponse {
        let body = try await context.body(of: request)
        return JSONResponse(
            Self.body(of: try await intake.accept(at: .unified, body: body, headers: request.headers)))
    }

    @Sendable private func native(_ request: Request, _ context: AppContext) async throws -> JSONResponse {
        let provider = context.parameters.get("provider") ?? ""
        // A text that is no id names no connection: the intake answers it as any other unknown one.
        let connection = context.parameters.get("connection").flatMap { ConnectionID($0) } ?? .zero
        let body = try await context.body(of: request)
        let door = Intake.Door.native(provider: provider, connection: connection)
        return JSONResponse(Self.body(of: try await intake.accept(at: door, body: body, headers: request.headers)))
    }

    /// `{"status", "id"}`, as the seeds' senders read it.
    static func body(of answer: Intake.Answer) -> [UInt8] {
        JSONWriter.object { writer in
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
