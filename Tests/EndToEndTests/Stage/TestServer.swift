import Foundation
import HTTPTypes
import Kernel
import Synchronization
import TestSupport

/// Servers at once: each wants a core for itself while it starts and works.
private let serverSlots = TestSlots(3)

/// One copy of the real server: a folder, perhaps a database that it shares with others, and the process of the moment.
final class TestServer: Sendable {
    struct Running: Sendable {
        let process: ChildProcess
        let port: Int
    }

    let folder: String
    private let databaseURL: String?
    private let environment: [String: String]
    private let running = Mutex<Running?>(nil)

    static let tenant = "11111111-1111-4111-8111-111111111111"
    static let stranger = "22222222-2222-4222-8222-222222222222"

    /// Long enough for a call, short enough for a test that waits for the leases of the dead.
    static let shortLease = ["TRADEWIND_TEST_LEASE_SECONDS": "3"]

    init(folder: String, databaseURL: String? = nil, environment: [String: String] = [:]) {
        self.folder = folder
        self.databaseURL = databaseURL
        self.environment = environment
    }

    var data: String { folder + "/data" }
    private var log: String { folder + "/server.log" }
    /// Where it serves now; nobody answers there while it is dead.
    var address: String { "http://127.0.0.1:\(port == 0 ? 1 : port)" }
    var port: Int { running.withLock { $0?.port ?? 0 } }
    var process: ChildProcess? { running.withLock { $0?.process } }

    // MARK: Starting

    /// What `tradewind serve` is called with.
    private func command(_ wrapper: [String], _ port: Int) -> [String] {
        let words = wrapper + [Program.path, "serve", "--listen", "127.0.0.1:\(port)"] + storeFlags
        return words + ["--egress-allow", "127.0.0.0/8", "--egress-allow-http"]
    }

    /// The flags that say where the data is.
    var storeFlags: [String] {
        ["--data-dir", data] + (databaseURL.map { ["--database-url", $0] } ?? [])
    }

    /// Starts the program and returns once it says that it is ready.
    ///
    /// - Parameters:
    ///   - more: variables besides those of this copy.
    ///   - wrapper: words before the program's own, such as a shell that sets limits.
    ///   - port: where it serves; 0 is any that is free.
    @discardableResult
    func start(
        _ more: [String: String] = [:], wrapper: [String] = [], port: Int = 0
    ) async throws -> ChildProcess {
        var variables = ["TRADEWIND_RATE_LIMIT_PER_MINUTE": "0"]
        variables.merge(environment) { _, given in given }
        variables.merge(more) { _, given in given }
        let seen = (try? Program.text(of: log))?.utf8.count ?? 0
        let process = try ChildProcess(
            command(wrapper, port), environment: variables, output: log, errors: log)
        let mayDie = more["TRADEWIND_CRASH_AT"] != nil
        let found: Int? = try await eventually("the server listens; its log:\n\(logText)", every: .milliseconds(20)) {
            if let port = Self.port(in: logText.utf8.dropFirst(seen)) { return port }
            if process.hasEnded, mayDie { return .some(nil) }
            if process.hasEnded { throw Overdue(description: "the server ended at its start:\n\(logText)") }
            return nil
        }
        guard let port = found else { return process }
        running.withLock { $0 = Running(process: process, port: port) }
        try await until("the server is ready; its log:\n\(logText)", every: .milliseconds(20)) {
            // A crash point may end it right after its start: that is for the test to see.
            if process.hasEnded { return true }
            return (try? await caller().get("/readyz").status) == 200
        }
        return process
    }

    var logText: String { (try? Program.text(of: log)) ?? "" }

    private static func port(in log: some Sequence<UInt8>) -> Int? {
        for line in String(decoding: Array(log), as: UTF8.self).split(separator: "\n") where line.hasSuffix("listening")
        {
            guard let mark = line.range(of: "port=") else { continue }
            return Int(line[mark.upperBound...].prefix { $0.isNumber })
        }
        return nil
    }

    // MARK: Ending

    /// Ends it as an operator does; answers how it ended, and how long that took.
    @discardableResult
    func stop() async -> (exit: ChildProcess.Exit?, time: Duration) {
        let clock = ContinuousClock()
        let begin = clock.now
        process?.signal(SIGTERM)
        let exit = await process?.exit()
        return (exit, begin.duration(to: clock.now))
    }

    /// Ends it as a power cut does.
    func kill() async {
        // Its port may be another's from now on: nobody is to call there.
        let process = running.withLock { running in
            defer { running = nil }
            return running?.process
        }
        process?.signal(SIGKILL)
        _ = await process?.exit()
    }

    // MARK: Calling

    /// Somebody without a token.
    func caller() -> Caller { Caller(address: address) }

    /// Somebody of a tenant, with a token that the program itself minted.
    func caller(token: String, tenant: String = tenant) -> Caller {
        var headers: HTTPFields = [.authorization: "Bearer \(token)"]
        for name in ["X-Tenant-ID", "X-Org-ID"] {
            if let name = HTTPField.Name(name) { headers[name] = tenant }
        }
        return Caller(address: address, headers: headers)
    }

    /// A token of this copy's own issuer.
    func token(tenant: String = tenant, role: String = "admin") async throws -> String {
        let outcome = try await Program.run([
            "token", "--data-dir", data, "--tenant", tenant, "--org", tenant, "--user", tenant, "--role", role,
        ])
        guard outcome.exit == .code(0) else { throw Overdue(description: "no token: \(outcome.errors)") }
        return String(outcome.output.prefix { $0 != "\n" })
    }

    /// The variables by which a command that calls a running hub finds this one, and as whom.
    func environment(role: String = "member") async throws -> [String: String] {
        ["TRADEWIND_HUB": address, "TRADEWIND_TOKEN": try await token(role: role)]
    }
}

/// Lends a running server with a store of its own, and removes both afterwards.
func withServer<T: Sendable>(
    _ engine: TestEngine, environment: [String: String] = [:],
    _ body: @Sendable @escaping (TestServer) async throws -> T
) async throws -> T {
    try await withCopies(1, of: engine, environment: environment) { servers in
        try await servers[0].start()
        return try await body(servers[0])
    }
}

/// Lends copies of the server that share one store; none is started yet. SQLite can have one only.
func withCopies<T: Sendable>(
    _ count: Int, of engine: TestEngine, environment: [String: String] = [:],
    _ body: @Sendable @escaping ([TestServer]) async throws -> T
) async throws -> T {
    try await serverSlots.withSlot {
        try await withTemporaryFolder { folder in
            if engine == .sqlite { return try await lend(count, in: folder, nil, environment, body) }
            return try await withFreshPostgresDatabase(serverURL: try PostgresServer.sharedURL()) { url in
                try await lend(count, in: folder, postgresAddress(url), environment, body)
            }
        }
    }
}

/// A database's URL, as the setting wants it; libpq's own form is `name=value` words.
func postgresAddress(_ words: String) -> String {
    if words.contains("://") { return words }
    var values: [String: String] = [:]
    for word in words.split(separator: " ") {
        let parts = word.split(separator: "=", maxSplits: 1)
        if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
    }
    let database = values["dbname"] ?? "postgres"
    return "postgresql://\(values["user"] ?? "postgres")@/\(database)?host=\(values["host"] ?? "")"
}

/// Copies of one installation have one master key, and tokens of one are good for the other.
private func share(_ servers: [TestServer]) async throws {
    _ = try await servers[0].token()
    for server in servers.dropFirst() {
        try FileManager.default.createDirectory(atPath: server.data, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: servers[0].data + "/issuer.jwk", toPath: server.data + "/issuer.jwk")
    }
}

/// Ends what was started, whatever becomes of the body.
func lend<T: Sendable>(
    _ count: Int, in folder: String, _ databaseURL: String?, _ environment: [String: String],
    _ body: @Sendable @escaping ([TestServer]) async throws -> T
) async throws -> T {
    var keyed = environment
    // 32 bytes; any will do.
    if count > 1 { keyed["TRADEWIND_MASTER_KEY"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }
    let servers = (0..<count).map { [keyed] in
        TestServer(folder: "\(folder)/\($0)", databaseURL: databaseURL, environment: keyed)
    }
    for server in servers {
        try FileManager.default.createDirectory(atPath: server.folder, withIntermediateDirectories: true)
    }
    if servers.count > 1 { try await share(servers) }
    let result: Result<T, any Error>
    do { result = .success(try await body(servers)) } catch {
        let logs = servers.map { "log of \($0.folder):\n\($0.logText.suffix(4000))" }.joined(separator: "\n")
        result = .failure(Overdue(description: "\(error)\n\(logs)"))
    }
    for server in servers { await server.kill() }
    return try result.get()
}
