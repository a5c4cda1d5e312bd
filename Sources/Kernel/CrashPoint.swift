#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import Synchronization

/// Named places where the power may go, for the tests that prove that nothing is lost there.
///
/// Armed by the environment (`TRADEWIND_CRASH_AT=after_send:3` ends the process, as SIGKILL does, at the third time
/// that the place is reached); otherwise reaching one costs a comparison.
package enum CrashPoint: String, CaseIterable, Sendable {
    /// An inbound delivery is on disk and its sender has no answer yet.
    case afterCommit = "after_commit"
    /// Workflows are leased and nothing is done with them yet.
    case afterClaim = "after_claim"
    /// An import's rows are written and not yet committed.
    case midImport = "mid_import"
    /// A part of a customer's erasure is written and not yet committed.
    case midErasure = "mid_erasure"
    /// An endpoint has answered and the attempt is not on disk yet.
    case afterSend = "after_send"

    /// Ends the process here if the point is armed and this is the time that was named.
    package static func reach(_ point: CrashPoint) {
        guard let armed, armed.point == point else { return }
        if armed.left.withLock({ left in
            left -= 1
            return left == 0
        }) {
            kill(getpid(), SIGKILL)
        }
    }

    private final class Armed: Sendable {
        let point: CrashPoint
        let left: Mutex<Int>

        init(point: CrashPoint, count: Int) {
            self.point = point
            self.left = Mutex(count)
        }
    }

    private static let armed: Armed? = {
        guard let value = getenv("TRADEWIND_CRASH_AT") else { return nil }
        let parts = String(cString: value).split(separator: ":")
        guard let name = parts.first, let point = CrashPoint(rawValue: String(name)) else { return nil }
        return Armed(point: point, count: parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()
}
