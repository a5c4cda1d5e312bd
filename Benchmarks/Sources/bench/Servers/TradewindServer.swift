import FoundationEssentials

/// One running `tradewind serve` on a data folder of its own.
final class TradewindServer: Sendable {
    /// Everything that decides how the binary is started; the figures change single fields.
    struct Launch: Sendable {
        var binary: String
        var dataFolder: String
        var databaseURL: String?
        var environment: [String: String] = [:]
    }

    let process: ChildProcess
    let port: Int
    let launch: Launch
    /// From the call that starts the process to the first 200 of `/readyz`.
    let readyAfter: Duration

    /// The limiter guards against strangers; here one address offers the whole load.
    private static let unlimited = ["TRADEWIND_RATE_LIMIT_PER_MINUTE": "0"]

    init(_ launch: Launch) async throws {
        guard FileManager.default.isExecutableFile(atPath: launch.binary) else {
            throw BenchError("there is no server at \(launch.binary): build it in release first, or name it")
        }
        // Only the last folder of the path: what a signal has cleared away must not come back.
        if !FileManager.default.fileExists(atPath: launch.dataFolder) {
            try FileManager.default.createDirectory(atPath: launch.dataFolder, withIntermediateDirectories: false)
        }
        port = try LoopbackSocket.freePort()
        var arguments = ["serve", "--data-dir", launch.dataFolder, "--listen", "127.0.0.1:\(port)"]
        if let url = launch.databaseURL { arguments += ["--database-url", url] }
        arguments += ["--egress-allow", "127.0.0.0/8", "--egress-allow-http"]
        self.launch = launch
        let began = ContinuousClock.now
        process = try ChildProcess(
            launch.binary, arguments, environment: Self.unlimited.merging(launch.environment) { $1 },
            output: launch.dataFolder + ".out")
        while LoopbackSocket.status(port: port, path: "/readyz") != 200 {
            if let status = process.poll() {
                let complaint = try String(contentsOfFile: launch.dataFolder + ".out.err", encoding: .utf8)
                throw BenchError("the server ended with \(status): \(complaint.suffix(600))")
            }
            if ContinuousClock.now - began > .seconds(120) {
                await process.stop()
                throw BenchError("the server was not ready after two minutes")
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        readyAfter = ContinuousClock.now - began
    }

    /// Processor time so far, that of its sessions in a PostgreSQL on this machine included.
    var cpuSeconds: Double {
        get throws {
            let own = try ProcessUse(of: process.id).cpuSeconds
            guard let database = launch.databaseURL.flatMap({ URL(string: $0) })?.lastPathComponent else { return own }
            return own + (try ProcessUse.cpuSeconds(ofSessionsWith: database))
        }
    }

    func stop() async {
        if await !process.stop() { Progress.say("the server did not end when asked and was killed") }
    }

    /// Runs the body against a started server and ends it in every case.
    static func with<T: Sendable>(
        _ launch: Launch, _ body: (TradewindServer) async throws -> T
    ) async throws -> T {
        let server = try await TradewindServer(launch)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }
}
