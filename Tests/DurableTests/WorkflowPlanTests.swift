import Kernel
import Storage
import TestSupport
import Testing

@testable import Durable

/// PostgreSQL takes its statistics of a table from time to time: between two looks an empty backlog may have become a
/// large one. SQLite keeps none.
@Suite("Plans of claimed workflows whose statistics are old")
struct WorkflowPlanTests {
    private static let count = 600

    private struct RolledBack: Error {}

    /// What is done to claims that are held.
    enum Deed: CaseIterable {
        case held, renew, settle, giveBack

        fileprivate func run(_ claims: [WorkflowClaim], now: Timestamp, in transaction: any Transaction) throws {
            switch self {
            case .held: _ = try WorkflowStore.held(claims, in: transaction).answer()
            case .renew: _ = try WorkflowStore.renew(claims, in: transaction)
            case .settle:
                let done = claims.map { ($0, Settlement.completed(outcome: "done", reason: nil, result: nil)) }
                try WorkflowStore.settle(done, now: now, in: transaction)
            case .giveBack: try WorkflowStore.giveBack(claims, due: now, in: transaction)
            }
        }
    }

    @Test("Each claim is held against its own row, not against the whole backlog", arguments: Deed.allCases)
    func joins(deed: Deed) async throws {
        try await withBench(.postgres) { bench in
            let now = bench.time.now
            let old = try await bench.begin(Self.count, leasedTo: 5)
            try await bench.database.write { try Deed.settle.run(old, now: now, in: $0) }
            try await bench.database.write { try $0.execute("ANALYZE workflow") }
            let claims = try await bench.begin(Self.count, leasedTo: 5)

            let recorder = StatementRecorder(bench.database)
            await #expect(throws: RolledBack.self) {
                try await recorder.write { transaction in
                    try deed.run(claims, now: now, in: transaction)
                    throw RolledBack()
                }
            }
            let statement = try #require(recorder.recorded.first)
            let plan = try await bench.database.write { transaction in
                // In a large table, a row of which is all that is expected, hashing looks no better than a loop.
                try transaction.execute("SET LOCAL enable_hashjoin = off")
                try transaction.execute("SET LOCAL enable_mergejoin = off")
                return try QueryPlan.run(statement, in: transaction).lines.joined(separator: "\n")
            }
            #expect(plan.contains("rows=\(Self.count)"), "\(plan)")
            #expect(!plan.contains("Removed by Join Filter"), "\(plan)")
        }
    }
}
