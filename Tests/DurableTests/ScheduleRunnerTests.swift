import Kernel
import Storage
import TestSupport
import Testing

@testable import Durable

@Suite("Duties that recur")
struct ScheduleRunnerTests {
    private func runner(_ database: any Database, _ seed: UInt64, _ schedules: [Schedule]) -> ScheduleRunner {
        ScheduleRunner(
            schedules: schedules, database: database, random: WorkflowBench.random(seed), logger: WorkflowBench.quiet)
    }

    @Test("Of two servers one does each duty, once an interval", arguments: TestEngine.allCases)
    func twoServers(engine: TestEngine) async throws {
        let time = ManualTime()
        try await withStore(engine, time: time) { store in
            let first = try store.open()
            _ = try await first.migrate(time: time.source)
            let second = engine == .sqlite ? first : try store.open()
            let done = Recorder<String>()
            let schedules = ["sweep", "count"].map { name in
                Schedule(name: name, interval: .seconds(60)) { _ in done.record(name) }
            }
            let runners = [runner(first, 1, schedules), runner(second, 2, schedules)]
            for round in 1...3 {
                let ran = await withTaskGroup(of: [String].self) { group in
                    for runner in runners + runners { group.addTask { await runner.runDue() } }
                    return await group.reduce(into: []) { $0 += $1 }
                }
                #expect(ran.sorted() == ["count", "sweep"])
                #expect(done.elements.count == 2 * round)
                time.advance(by: .seconds(59))
                #expect(await runners[0].runDue().isEmpty)
                time.advance(by: .seconds(1))
            }
            await second.shutdown()
            await first.shutdown()
        }
    }

    @Test("A duty that fails keeps neither its next turn nor the others from running", arguments: TestEngine.allCases)
    func failing(engine: TestEngine) async throws {
        let time = ManualTime()
        try await withDatabase(engine, time: time) { database in
            let tries = Recorder<Int>()
            let runner = runner(
                database, 1,
                [
                    Schedule(name: "bad", interval: .seconds(60)) { _ in
                        tries.record(1)
                        throw Mishap()
                    },
                    Schedule(name: "good", interval: .seconds(60)) { _ in },
                ])
            #expect(await runner.runDue() == ["good"])
            #expect(await runner.runDue().isEmpty)
            time.advance(by: .seconds(60))
            #expect(await runner.runDue() == ["good"])
            #expect(tries.elements.count == 2)
        }
    }
}
