import Kernel
import Testing

@testable import Durable

@Suite("When failed work is tried again")
struct RetryPolicyTests {
    private static let now = Timestamp(milliseconds: 1_000_000)

    private func wait(_ attempts: Int, jitter: Double) -> Duration? {
        let settlement = RetryPolicy.local.settlement(
            attempts: attempts, reason: "why", now: Self.now, jitter: jitter)
        guard case .retry(let due, "why") = settlement else { return nil }
        return due - Self.now
    }

    @Test(
        "The wait doubles up to the longest",
        arguments: [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 64), (8, 128), (9, 256)])
    func doubling(attempts: Int, seconds: Int) {
        #expect(wait(attempts, jitter: 0) == .seconds(seconds))
    }

    @Test("Jitter adds less than a half, and never takes anything off", arguments: 1...9)
    func jitter(attempts: Int) throws {
        let base = try #require(wait(attempts, jitter: 0))
        for jitter in [0.001, 0.25, 0.5, 0.999_999] {
            let longer = try #require(wait(attempts, jitter: jitter))
            #expect(longer >= base && longer < base + base / 2)
        }
    }

    @Test("No wait is longer than the longest and its jitter, whatever the number")
    func longest() {
        let policy = RetryPolicy(first: .seconds(1), longest: .seconds(300), attemptsMost: .max)
        for attempts in [9, 10, 64, 1000, 1_000_000] {
            guard
                case .retry(let due, _) = policy.settlement(
                    attempts: attempts, reason: "", now: Self.now, jitter: 0)
            else {
                Issue.record("given up after \(attempts)")
                continue
            }
            #expect(due - Self.now == .seconds(attempts == 9 ? 256 : 300))
        }
    }

    @Test("The last failure that is allowed ends it", arguments: [10, 11, 1000])
    func dead(attempts: Int) {
        let settlement = RetryPolicy.local.settlement(attempts: attempts, reason: "why", now: Self.now, jitter: 0)
        #expect(settlement == .dead(outcome: "exhausted", reason: "why"))
    }
}
