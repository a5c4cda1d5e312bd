import ArgumentParser

/// Group commit beside one commit a request on a disk whose flush takes long, simulated in both alike.
struct FlushFigure {
    let lab: Lab
    let delayMilliseconds: Double
    let shim: String

    func take() async throws -> [Figure] {
        let library = lab.folder + "/flush_delay.so"
        _ = try await ChildProcess.output(
            of: "cc", ["-shared", "-fPIC", "-O2", "-o", library, shim, "-ldl"], in: lab.folder)
        let slow = ["LD_PRELOAD": library, "FLUSH_DELAY_US": "\(Int(delayMilliseconds * 1_000))"]
        var grouped: [Double] = []
        var single: [Double] = []
        var loop: [Double] = []
        for round in 1...lab.rounds {
            lab.note("flush of \(delayMilliseconds) ms, round \(round) of \(lab.rounds)")
            grouped.append(try await accept(environment: slow, connections: lab.options.connections))
            single.append(try await accept(environment: slow, connections: 1))
            loop.append(try await commitLoop(environment: slow, round: round))
        }
        // Held against the better of the two ways to commit once a request.
        let baseline = max(median(single), median(loop))
        let ratio = median(grouped) / baseline
        return [
            Figure(
                name: "durable accepts with a flush of \(delayMilliseconds.text(1)) ms more",
                measured: "\(median(grouped).text())/s",
                beside: "commit per request: server, one connection \(median(single).text())/s; "
                    + "bare SQLite \(median(loop).text())/s",
                ratio: ratio, target: "≥ 8 ×", isMet: ratio >= 8,
                samples: ["grouped": grouped, "one_connection": single, "commit_loop": loop])
        ]
    }

    private func accept(environment: [String: String], connections: Int) async throws -> Double {
        var launch = try await lab.launch(.sqlite)
        launch.environment.merge(environment) { $1 }
        let rate = try await AcceptFigure(lab, engine: .sqlite).accept(launch, connections: connections).perSecond
        try lab.discard(launch)
        return rate
    }

    private func commitLoop(environment: [String: String], round: Int) async throws -> Double {
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
                try await FlushFigure(lab: lab, delayMilliseconds: flushDelayMs, shim: shim).take()
            }
        }
    }
}
