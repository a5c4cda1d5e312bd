import ArgumentParser

/// Group commit beside one commit a request on a disk whose flush takes long, simulated in both alike.
struct FlushFigure {
    let lab: Lab
    let engine: Engine
    let delayMilliseconds: Double
    let shim: String

    func take() async throws -> [Figure] {
        // Not in the lab's folder: PostgreSQL's user has to read it too.
        let folder = try ScratchFolder.make(in: "/tmp", prefix: "flush-delay")
        defer { ScratchFolder.remove(folder) }
        let library = folder + "/flush_delay.so"
        _ = try await ChildProcess.output(
            of: "cc", ["-shared", "-fPIC", "-O2", "-o", library, shim, "-ldl"], in: lab.folder)
        let slow = ["LD_PRELOAD": library, "FLUSH_DELAY_US": "\(Int(delayMilliseconds * 1_000))"]
        switch engine {
        case .sqlite:
            return [
                try await take(
                    launch: {
                        var launch = try await lab.launch(.sqlite)
                        launch.environment.merge(slow) { $1 }
                        return launch
                    }, loop: { try await sqliteLoop(environment: slow) })
            ]
        case .postgres:
            let cluster = try await PostgresCluster(in: lab.folder, environment: slow)
            do {
                let figure = try await take(
                    launch: {
                        var launch = try await lab.launch(.sqlite)
                        launch.databaseURL = try await cluster.makeDatabase()
                        return launch
                    }, loop: { try await cluster.commitLoop(seconds: lab.seconds) })
                await cluster.stop()
                return [figure]
            } catch {
                await cluster.stop()
                throw error
            }
        }
    }

    /// - Parameters:
    ///   - launch: how to start a server whose store flushes slowly.
    ///   - loop: the engine alone, one order and one commit at a time: commits a second.
    private func take(
        launch: () async throws -> TradewindServer.Launch, loop: () async throws -> Double
    ) async throws -> Figure {
        var (grouped, single, loops): ([Double], [Double], [Double]) = ([], [], [])
        for round in 1...lab.rounds {
            lab.note("flush of \(delayMilliseconds) ms on \(engine.rawValue), round \(round) of \(lab.rounds)")
            grouped.append(try await accept(launch(), connections: lab.options.connections))
            single.append(try await accept(launch(), connections: 1))
            loops.append(try await loop())
        }
        // Held against the better of the two ways to commit once a request.
        let ratio = median(grouped) / max(median(single), median(loops))
        return Figure(
            name: "durable accepts with a flush of \(delayMilliseconds.text(1)) ms more", engine: engine.rawValue,
            measured: "\(median(grouped).text())/s",
            beside: "commit per request: server, one connection \(median(single).text())/s; "
                + "the engine alone \(median(loops).text())/s",
            ratio: ratio, target: "≥ 8 ×", isMet: ratio >= 8,
            samples: ["grouped": grouped, "one_connection": single, "commit_loop": loops])
    }

    private func accept(_ launch: TradewindServer.Launch, connections: Int) async throws -> Double {
        let rate = try await AcceptFigure(lab, engine: engine).accept(launch, connections: connections).perSecond
        try lab.discard(launch)
        return rate
    }

    private func sqliteLoop(environment: [String: String]) async throws -> Double {
        let folder = try await lab.launch(.sqlite).dataFolder
        try lab.makeFolder(folder)
        let printed = try await ChildProcess.output(
            of: "/proc/self/exe", ["commit-loop", "--folder", folder, "--seconds", "\(lab.seconds)"],
            environment: environment, in: lab.folder)
        guard let rate = printed.split(separator: "\n").last.flatMap({ Double($0) }) else {
            throw BenchError("the commit loop printed no rate: \(printed)")
        }
        return rate
    }
}

struct FlushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush", abstract: "Group commit beside one commit a request, with a slow flush simulated.")

    @OptionGroup var options: LabOptions
    @Option(help: "Added to every flush of the server and of what it is compared with.") var flushDelayMs = 2.0
    @Option(help: "The source of the library that delays flushes.") var shim = "FlushDelay/flush_delay.c"

    func run() async throws {
        try await Lab.report(options) { lab in
            try await Figure.taking {
                try await FlushFigure(
                    lab: lab, engine: options.engine, delayMilliseconds: flushDelayMs, shim: shim
                ).take()
            }
        }
    }
}
