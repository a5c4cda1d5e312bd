#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How long work belongs to the process that claimed it, deliveries and workflows alike.
///
/// A crashed holder's work lies still for this long, so the tests that kill servers shorten it through the
/// environment (`TRADEWIND_TEST_LEASE_SECONDS`, 2 to 60). It is no setting: a lease that is over before a slow but
/// living holder is done makes every delivery go out twice.
package struct Leases: Sendable, Equatable {
    /// Much longer than a call, so that a lease ends only when its holder is gone or hopelessly behind.
    package static let standard = Leases(duration: .seconds(60))

    package let duration: Duration

    /// The longest that one attempt may take, its time-out and a margin for writing it down; no more than a quarter of
    /// the lease, or nothing would be started for most of a short one.
    package var callTime: Duration { min(.seconds(15), duration / 4) }

    package init(duration: Duration) { self.duration = duration }

    /// - Parameter seconds: what the environment says; whatever is no number from 2 to 60 means the standard.
    init(seconds: String?) {
        guard let count = seconds.flatMap({ Int($0) }), (2...60).contains(count) else {
            self = .standard
            return
        }
        self.init(duration: .seconds(count))
    }

    /// The leases of this process.
    package static let current = Leases(
        seconds: getenv("TRADEWIND_TEST_LEASE_SECONDS").map { String(cString: $0) })
}
