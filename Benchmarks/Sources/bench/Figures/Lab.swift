import ArgumentParser
import FoundationEssentials

enum Engine: String, ExpressibleByArgument, Sendable {
    case sqlite
    case postgres
}

/// What every figure can be told on the command line.
struct LabOptions: ParsableArguments {
    @Option(help: "The server's binary, built in release.") var tradewind = "../.build/release/tradewind"
    @Option(help: "sqlite or postgres.") var engine = Engine.sqlite
    @Option(name: .customLong("postgres-url"), help: "A running PostgreSQL; without it one is started for the run.")
    var postgresURL: String?
    @Option(help: "Where data folders are made: a folder on the disk that is to be measured.") var folder = "/var/tmp"
    @Option(name: .customLong("server-env"), help: "NAME=VALUE for the server; may be repeated.")
    var serverEnvironment: [String] = []
    @Option(help: "Connections of the load driver.") var connections = 64
    @Option(help: "Alternating rounds.") var rounds: Int?
    @Option(help: "Measured seconds of a round.") var seconds: Double?
    @Flag(help: "Seconds and thousands instead of minutes and millions: proves that it runs.") var quick = false
    @Flag(help: "JSON with all samples instead of a table.") var json = false
}

/// The place where figures are taken: a folder, the server's binary, and PostgreSQL where the run asks for it.
final class Lab {
    let options: LabOptions
    let folder: String
    private var cluster: PostgresCluster?
    private var kept: [Int: (launch: TradewindServer.Launch, events: KeptEvents)] = [:]
    private var launches = 0

    var rounds: Int { options.rounds ?? (options.quick ? 1 : 3) }
    var seconds: Double { options.seconds ?? (options.quick ? 2 : 8) }

    private init(_ options: LabOptions) throws {
        self.options = options
        folder = try ScratchFolder.make(in: options.folder, prefix: "tradewind-bench")
    }

    /// Takes figures in a lab of their own, prints the report and clears up in every case.
    static func report(_ options: LabOptions, _ take: (Lab) async throws -> [Figure]) async throws {
        let sources = ChildProcess.endWithParent()
        defer { withExtendedLifetime(sources) {} }
        let lab = try Lab(options)
        let result: Result<Report, any Error>
        do {
            let machine = try await Machine.look(flushingIn: lab.folder)
            result = .success(Report(machine: machine, figures: try await take(lab)))
        } catch {
            result = .failure(error)
        }
        await lab.cluster?.stop()
        ScratchFolder.remove(lab.folder)
        let report = try result.get()
        print(options.json ? try report.json() : report.markdown)
    }

    /// How to start a server on an empty store.
    func launch(_ engine: Engine? = nil) async throws -> TradewindServer.Launch {
        launches += 1
        var launch = TradewindServer.Launch(binary: options.tradewind, dataFolder: "\(folder)/data-\(launches)")
        for pair in options.serverEnvironment {
            guard let equals = pair.firstIndex(of: "=") else { throw BenchError("\(pair) is not NAME=VALUE") }
            launch.environment[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        if (engine ?? options.engine) == .postgres { launch.databaseURL = try await database() }
        return launch
    }

    /// How to start a server on a store that holds `count` events already; made at the first call.
    func launch(keeping count: Int) async throws -> (launch: TradewindServer.Launch, events: KeptEvents) {
        if let made = kept[count] { return made }
        let launch = try await launch()
        note("preparing a store with \(count) events")
        let made = (launch, try await KeptEvents.prepare(count, launch: launch))
        kept[count] = made
        return made
    }

    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    /// Deletes the folder of a launch that is done with; a full disk would spoil later figures.
    func discard(_ launch: TradewindServer.Launch) throws {
        try FileManager.default.removeItem(atPath: launch.dataFolder)
    }

    func note(_ text: String) { Progress.say(text) }

    private func database() async throws -> String {
        if let url = options.postgresURL { return try await PostgresCluster.makeDatabase(at: url) }
        if let cluster { return try await cluster.makeDatabase() }
        let started = try await PostgresCluster(in: folder)
        cluster = started
        return try await started.makeDatabase()
    }
}
