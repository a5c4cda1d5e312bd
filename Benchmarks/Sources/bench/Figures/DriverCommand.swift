import ArgumentParser
import NIOCore
import NIOPosix

/// What the load driver itself can do, so that it may be held against another one.
struct DriverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "driver", abstract: "The load driver against the route that does nothing.")

    @Option var seconds = 5.0
    @Option var connections = 64
    @Option(help: "A running server's port instead of a server of our own.") var port: Int?

    func run() async throws {
        let held = ChildProcess.endWithParent()
        defer { withExtendedLifetime(held) {} }
        let port = try port ?? LoopbackSocket.freePort()
        let child = try self.port == nil ? Floor.start(port: port, output: "/tmp/bench-driver.out") : nil
        if let child { try await Floor.ready(child, port: port) }
        let requests = OrderRequests(
            OrderShape(connection: "c", secret: "s", sku: "BOOT-42", run: "00000000"), path: "/noop", prepared: 20_000,
            isUnique: false)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let plan = LoadPlan(port: port, requests: requests, connections: connections, seconds: seconds)
        let outcome = try await LoadRun(plan, on: group.next()).run()
        await child?.stop()
        print("\(Int(outcome.perSecond)) requests/s of \(requests.length) bytes")
        print("p50 p99 p99.9 ms: \(outcome.latencies.percentiles([0.5, 0.99, 0.999]))")
    }
}

enum Floor {
    static func start(port: Int, output: String) throws -> ChildProcess {
        try ChildProcess("/proc/self/exe", ["noop-server", "--port", "\(port)"], output: output)
    }

    /// One round against a server of its own, by a plan for that server's port.
    static func round(in lab: Lab, on loop: any EventLoop, _ plan: (_ port: Int) -> LoadPlan) async throws
        -> LoadOutcome
    {
        let port = try LoopbackSocket.freePort()
        let server = try start(port: port, output: lab.folder + "/noop.out")
        do {
            try await ready(server, port: port)
            let outcome = try await LoadRun(plan(port), on: loop).run()
            await server.stop()
            return outcome
        } catch {
            await server.stop()
            throw error
        }
    }

    /// Waits until it answers.
    static func ready(_ server: ChildProcess, port: Int) async throws {
        while LoopbackSocket.status(port: port, path: "/readyz") != 200 {
            if let status = server.poll() { throw BenchError("the no-op server ended with \(status)") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
