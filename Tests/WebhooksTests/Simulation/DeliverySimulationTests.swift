import Foundation
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

/// Three days of retries with crashes, slow commits and clocks that differ, for each seed.
///
/// `TRADEWIND_TEST_SEED=17 scripts/test DeliverySimulation` runs one seed alone.
@Suite("Deliveries over simulated days", .timeLimit(.minutes(60)))
struct DeliverySimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let named = environment["TRADEWIND_TEST_SEED"].flatMap { UInt64($0) }
    private static let isLong = environment["TRADEWIND_TEST_LONG"] == "1"
    private static let seeds: [UInt64] = named.map { [$0] } ?? Array(1...(isLong ? 10_000 : 200))

    /// What a seed came to.
    struct Outcome: Sendable {
        let faults: [String]
        let calls: [String]
        let dooms: Set<NodeLife.Doom>
    }

    static func simulate(_ terms: SimulatedWorld.Terms, on engine: TestEngine = .sqlite) async throws -> Outcome {
        let time = ManualTime()
        // PostgreSQL's clock is moved through the simulation's own connection: a new one for each leap takes too long.
        return try await withDatabase(
            engine, time: engine == .sqlite ? time : ManualTime(), isVolatile: true
        ) { database in
            try await addOwners(database)
            let world = SimulatedWorld(terms, base: database, time: time) { now in
                if engine == .sqlite { return }
                try await database.write { transaction in
                    try transaction.execute("UPDATE test_clock SET milliseconds = $1", [.time(now)])
                }
            }
            try await world.run()
            let account = try await database.read { try DeliveryJudge.Account.load(in: $0) }
            return Outcome(
                faults: DeliveryJudge(world.ledger, account, isCalm: terms.isCalm).judge(),
                calls: world.ledger.calls.map { "\(world.ledger.name($0)) \($0.behaviour)" },
                dooms: world.doomsReached)
        }
    }

    @Test("No seed loses, doubles, hurries or reorders anything")
    func seeds() async throws {
        var (dooms, calls): (Set<NodeLife.Doom>, Int) = ([], 0)
        for seed in Self.seeds {
            let outcome = try await Self.simulate(.init(seed: seed))
            Self.report(outcome, seed)
            dooms.formUnion(outcome.dooms)
            calls += outcome.calls.count
        }
        if Self.named == nil { #expect(dooms == Set(NodeLife.Doom.allCases), "a place to crash at was never reached") }
        #expect(calls >= Self.seeds.count * 10)
    }

    @Test("PostgreSQL neither", arguments: named.map { [$0] } ?? Array(1...4 as ClosedRange<UInt64>))
    func postgres(seed: UInt64) async throws {
        Self.report(try await Self.simulate(.init(seed: seed), on: .postgres), seed)
    }

    private static func report(_ outcome: Outcome, _ seed: UInt64) {
        #expect(
            outcome.faults.isEmpty,
            """
            seed \(seed); TRADEWIND_TEST_SEED=\(seed) scripts/test DeliverySimulation runs it alone:
            \(outcome.faults.prefix(8).joined(separator: "\n"))
            """)
    }

    @Test("Each profile's retries come to the minute", arguments: TestEngine.allCases)
    func calm(engine: TestEngine) async throws {
        let outcome = try await Self.simulate(.init(seed: 1, isCalm: true), on: engine)
        #expect(outcome.faults.isEmpty, "\(outcome.faults.prefix(8).joined(separator: "\n"))")
        // 5 of synthesq twice, 4 of synctec twice and of the own schedule, 10 of standard, and of synq 3 days' worth.
        #expect(outcome.calls.count >= 30)
    }

    @Test("A seed repeats itself exactly")
    func repeats() async throws {
        let first = try await Self.simulate(.init(seed: 5))
        #expect(try await Self.simulate(.init(seed: 5)).calls == first.calls)
        #expect(try await Self.simulate(.init(seed: 6)).calls != first.calls)
    }

    @Test("The judge finds an engine that is spoilt", arguments: Sabotage.all)
    func sabotage(_ sabotage: Sabotage) async throws {
        for seed in 1...40 as ClosedRange<UInt64> {
            let outcome = try await Self.simulate(.init(seed: seed, sabotage: sabotage))
            if !outcome.faults.isEmpty { return }
        }
        Issue.record("forty seeds did not find it")
    }
}
