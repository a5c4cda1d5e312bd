import ArgumentParser
import Hummingbird
import NIOCore
import NIOPosix

/// The floor: a Hummingbird route that collects the body and answers a small JSON, and keeps nothing.
struct NoopServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noop-server", abstract: "The route that does nothing, which accepting is compared with.",
        shouldDisplay: false)

    @Option var port: Int
    @Flag(help: "Run Swift's tasks on NIO's loops.") var onLoops = false

    func run() async throws {
        // Off unless asked for: with one small handler it made the route slower, and the floor is to be the faster one.
        if onLoops { _ = NIOSingletons.unsafeTryInstallSingletonPosixEventLoopGroupAsConcurrencyGlobalExecutor() }
        let router = Router()
        router.get("/readyz") { _, _ in HTTPResponse.Status.ok }
        router.post("/noop") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            let answer = ByteBuffer(string: #"{"status":"accepted","id":"00000000-0000-7000-8000-00000000"}"#)
            return Response(
                status: body.readableBytes > 0 ? .ok : .badRequest,
                headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: answer))
        }
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            eventLoopGroupProvider: .singleton)
        try await application.runService()
    }
}
