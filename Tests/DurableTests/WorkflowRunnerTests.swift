import Kernel
import ServiceLifecycle
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Durable

@Suite("Running workflows")
struct WorkflowRunnerTests {
    private static let processed = Settlement.completed(outcome: "processed", reason: nil, result: nil)

    /// Returns when the task is cancelled.
    private static func cancelled() async { await Doorbell().wait(upTo: .seconds(3600)) }

    /// A kind that settles all of a batch in one transaction, after `check`.
    private func settling(
        _ bench: WorkflowBench, batchLimit: Int = 10, retry: RetryPolicy = .local,
        check: @escaping @Sendable ([WorkflowClaim]) async throws -> Void
    ) -> ScriptedKind {
        ScriptedKind(batchLimit: batchLimit, retry: retry) { batch in
            try await check(batch)
            let now = bench.time.now
            try await bench.database.write { transaction in
                try WorkflowStore.settle(batch.map { ($0, Self.processed) }, now: now, in: transaction)
            }
        }
    }

    @Test("One that fails in a batch is retried, and holds back none of the others", arguments: TestEngine.allCases)
    func badOne(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin(6)
            let bad = begun[2].id
            let sizes = Recorder<Int>()
            let kind = settling(bench) { batch in
                sizes.record(batch.count)
                if batch.contains(where: { $0.id == bad }) { throw Mishap() }
            }
            await bench.runner(kind).drain()
            #expect(sizes.elements == [6, 1, 1, 1, 1, 1, 1])
            for claim in begun {
                let state = try #require(try await bench.state(claim.id))
                #expect(state.state == (claim.id == bad ? "pending" : "completed"))
                #expect(state.attempts == (claim.id == bad ? 1 : 0))
            }
            let state = try #require(try await bench.state(bad))
            #expect(state.reason == "Mishap()" && state.claim == 0)
            #expect(state.due >= bench.time.now + .seconds(1) && state.due <= bench.time.now + .milliseconds(1500))
        }
    }

    @Test("A kind with several places works on so many batches beside each other, and on the next when one ends")
    func places() async throws {
        try await withBench(.sqlite) { bench in
            let begun = try await bench.begin(4)
            let (started, gate) = (Recorder<WorkflowID>(), Gate())
            let kind = ScriptedKind(batchLimit: 1, batchesAtOnce: 3) { batch in
                started.record(batch[0].id)
                await gate.pass()
                let now = bench.time.now
                try await bench.database.write { transaction in
                    try WorkflowStore.settle(batch.map { ($0, Self.processed) }, now: now, in: transaction)
                }
            }
            let runner = bench.runner(kind)
            let running = Task { try await runner.run() }
            await gate.arrivals(3)
            #expect(started.elements.count == 3)
            gate.open()
            for claim in begun {
                while try await bench.state(claim.id)?.state != "completed" { await Task.yield() }
            }
            #expect(Set(started.elements) == Set(begun.map(\.id)) && started.elements.count == 4)
            running.cancel()
            try await running.value
        }
    }

    @Test("What fails to the last attempt is dead", arguments: TestEngine.allCases)
    func exhausted(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin()[0]
            let calls = Recorder<Int>()
            let policy = RetryPolicy(first: .seconds(1), longest: .seconds(8), attemptsMost: 3)
            let kind = settling(bench, retry: policy) { batch in
                calls.record(batch[0].attempts)
                throw Mishap()
            }
            let runner = bench.runner(kind)
            for _ in 0..<5 {
                await runner.drain()
                bench.time.advance(by: .seconds(20))
            }
            #expect(calls.elements == [0, 1, 2])
            let state = try #require(try await bench.state(begun.id))
            #expect(state.state == "dead" && state.outcome == "exhausted" && state.attempts == 3)
        }
    }

    @Test("An absent store is no fault of the work: nothing is counted", arguments: TestEngine.allCases)
    func unavailable(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin(2)
            let holder = Mutex<WorkflowRunner?>(nil)
            let calls = Recorder<Int>()
            let kind = settling(bench) { batch in
                calls.record(batch.count)
                if calls.elements.count > 1 { return }
                holder.withLock { $0 }?.wake()
                throw StorageError(.unavailable, "gone for a moment")
            }
            let runner = bench.runner(kind)
            holder.withLock { $0 = runner }
            await runner.drain()
            #expect(calls.elements == [2, 2])
            for claim in begun {
                let state = try #require(try await bench.state(claim.id))
                #expect(state.state == "completed" && state.attempts == 0)
            }
        }
    }

    @Test("A claim that was lost is left to its new holder", arguments: TestEngine.allCases)
    func lost(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let begun = try await bench.begin()[0]
            let kind = ScriptedKind { batch in
                bench.time.advance(by: WorkflowStore.lease)
                let taken = try await bench.claim(77)
                #expect(taken.count == 1)
                throw LostClaim(id: batch[0].id)
            }
            await bench.runner(kind).drain()
            let state = try #require(try await bench.state(begun.id))
            #expect(state.claim == 77 && state.attempts == 0 && state.state == "pending")
        }
    }

    @Test("What is handed over runs without a claim, and what is due runs too", arguments: TestEngine.allCases)
    func handed(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let numbers = Recorder<Int64>()
            let kind = settling(bench, batchLimit: 1) { numbers.record($0[0].number) }
            let runner = bench.runner(kind)
            runner.offer(try await bench.begin(40, leasedTo: runner.number))
            let due = try await bench.begin()[0]
            #expect(runner.backlog == 40)
            await runner.drain()
            #expect(runner.backlog == 0)
            #expect(numbers.elements.filter { $0 == runner.number }.count == 40)
            #expect(try await bench.state(due.id)?.state == "completed")
            // A stream of handed claims leaves a turn for the store.
            #expect(numbers.elements.firstIndex { $0 != runner.number } == 15)
        }
    }

    @Test("A server that stops gives back what it has not begun", arguments: TestEngine.allCases)
    func stopping(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let gate = Gate()
            gate.open()
            let kind = settling(bench, batchLimit: 1) { _ in
                await gate.pass()
                await Self.cancelled()
            }
            let runner = bench.runner(kind)
            let begun = try await bench.begin(5, leasedTo: runner.number)
            runner.offer(begun)
            let group = ServiceGroup(services: [runner], logger: WorkflowBench.quiet)
            let run = Task { try await group.run() }
            await gate.arrivals(1)
            await group.triggerGracefulShutdown()
            try await run.value
            #expect(!runner.hasRoom)
            #expect(try await bench.state(begun[0].id)?.state == "completed")
            let rest = try await bench.claim(9)
            #expect(Set(rest.map(\.id)) == Set(begun.dropFirst().map(\.id)))
        }
    }

    @Test("Work that the stop of the server breaks off is given back uncounted", arguments: TestEngine.allCases)
    func brokenOff(engine: TestEngine) async throws {
        try await withBench(engine) { bench in
            let gate = Gate()
            gate.open()
            let kind = ScriptedKind { _ in
                await gate.pass()
                await Self.cancelled()
                try Task.checkCancellation()
            }
            let runner = bench.runner(kind)
            let begun = try await bench.begin()[0]
            let group = ServiceGroup(services: [runner], logger: WorkflowBench.quiet)
            let run = Task { try await group.run() }
            await gate.arrivals(1)
            await group.triggerGracefulShutdown()
            try await run.value
            let state = try #require(try await bench.state(begun.id))
            #expect(state.attempts == 0 && state.claim == 0 && state.claims == 0 && state.state == "pending")
            #expect(try await bench.claim(9).count == 1)
        }
    }
}
