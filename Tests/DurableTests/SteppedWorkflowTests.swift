import Kernel
import Storage
import TestSupport
import Testing

@testable import Durable

/// Three steps, each of which leaves a trace; `before` is called ahead of each with its name.
private struct ThreeSteps: SteppedWorkflow {
    let name = "test"
    let retry = RetryPolicy.local
    let database: any Database
    let time: TimeSource
    let trace: Recorder<String>
    var before: @Sendable (String) async throws -> Void = { _ in }

    func run(_ steps: WorkflowSteps) async throws -> Settlement {
        var outputs: [String] = []
        for name in ["look", "create", "tell"] {
            try await before(name)
            let count = trace.elements.count
            let output = try await steps.step(name) {
                trace.record(name)
                return Array("\(name) \(count)".utf8)
            }
            outputs.append(String(decoding: output, as: UTF8.self))
        }
        return .completed(outcome: "processed", reason: outputs.joined(separator: ", "), result: nil)
    }
}

@Suite("Workflows of steps")
struct SteppedWorkflowTests {
    private func workflow(_ bench: WorkflowBench, _ trace: Recorder<String>) -> ThreeSteps {
        ThreeSteps(database: bench.database, time: bench.time.source, trace: trace)
    }

    @Test("Each step is done once and its output kept", arguments: TestEngine.allCases)
    func once(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let trace = Recorder<String>()
            let begun = try await bench.begin()[0]
            await bench.runner(workflow(bench, trace)).drain()
            #expect(trace.elements == ["look", "create", "tell"])
            let state = try #require(try await bench.state(begun.id))
            #expect(state.state == "completed" && state.reason == "look 0, create 1, tell 2")
            let steps = try await bench.database.read { try WorkflowStore.steps(of: begun.id, in: $0) }
            #expect(Set(steps.map(\.name)) == ["look", "create", "tell"])
            #expect(steps.allSatisfy { $0.recordedAt == bench.time.now })
        }
    }

    @Test("After a failure or a crash the finished steps are read back", arguments: TestEngine.allCases)
    func replay(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let trace = Recorder<String>()
            let begun = try await bench.begin()[0]
            // A crash: the claimer does one step and is never heard of again.
            var crashing = workflow(bench, trace)
            crashing.before = { if $0 == "create" { throw Mishap() } }
            let claim = try await bench.claim(3)
            await #expect(throws: Mishap.self) { try await crashing.perform(claim) }
            #expect(trace.elements == ["look"])
            bench.time.advance(by: WorkflowStore.lease)
            // A failure: recorded, and tried again.
            var failing = workflow(bench, trace)
            failing.before = { if $0 == "tell" { throw Mishap() } }
            await bench.runner(failing).drain()
            #expect(try await bench.state(begun.id)?.attempts == 1)
            bench.time.advance(by: .seconds(2))
            await bench.runner(workflow(bench, trace)).drain()
            #expect(trace.elements == ["look", "create", "tell"])
            #expect(try await bench.state(begun.id)?.reason == "look 0, create 1, tell 2")
        }
    }

    @Test("Who lost the claim records no step and settles nothing", arguments: TestEngine.allCases)
    func fencedOut(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let trace = Recorder<String>()
            let begun = try await bench.begin()[0]
            var slow = workflow(bench, trace)
            slow.before = { name in
                if name != "create" { return }
                bench.time.advance(by: WorkflowStore.lease)
                let taken = try await bench.claim(77)
                #expect(taken.count == 1)
            }
            let claim = try await bench.claim(3)
            await #expect(throws: LostClaim(id: begun.id)) { try await slow.perform(claim) }
            let steps = try await bench.database.read { try WorkflowStore.steps(of: begun.id, in: $0) }
            #expect(steps.map(\.name) == ["look"])
            #expect(try await bench.state(begun.id)?.claim == 77)
        }
    }

    @Test("Steps that together take longer than a lease keep the claim", arguments: TestEngine.allCases)
    func longWork(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin()[0]
            var slow = workflow(bench, Recorder())
            slow.before = { _ in
                bench.time.advance(by: .seconds(40))
                let taken = try await bench.claim(77)
                #expect(taken.isEmpty)
            }
            await bench.runner(slow).drain()
            #expect(try await bench.state(begun.id)?.state == "completed")
        }
    }
}
