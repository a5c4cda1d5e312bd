import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore

/// What orchestrators and monitors ask: alive, able to commit, and the figures.
struct HealthRoutes {
    let readiness: ReadinessProbe
    let registry: PrometheusRegistry

    func mount(on routes: some RouterMethods<AppContext>) {
        routes.get("/healthz", use: alive)
        routes.get("/readyz", use: ready)
    }

    /// Apart from the others, because an operator decides who may see the figures.
    func mountMetrics(on routes: some RouterMethods<some RequestContext>) {
        routes.get("/metrics") { _, _ in figures() }
    }

    /// Touches nothing: a server whose store is away must not be restarted for it.
    @Sendable private func alive(_ request: Request, _ context: AppContext) -> JSONResponse {
        JSONResponse { writer in writer.field("status", "ok") }
    }

    @Sendable private func ready(_ request: Request, _ context: AppContext) async throws -> JSONResponse {
        if let fault = await readiness.fault() {
            context.log.warning("not ready", metadata: ["error": .string(fault)])
            throw Problem.unavailable("Nothing can be stored at the moment.")
        }
        return JSONResponse { writer in writer.field("status", "ready") }
    }

    private func figures() -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: registry.text())))
    }
}
