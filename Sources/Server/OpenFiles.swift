import Webhooks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How many files and connections this process may have open at once.
///
/// Shells and services start a process with 1024, which is there for programs that use `select`. One call needs one
/// connection, so that would be the end of deliveries long before their own bound.
package struct OpenFiles: Sendable, Equatable {
    /// The limit in force.
    package let limit: UInt64
    /// What the process may raise it to by itself.
    package let most: UInt64

    /// All calls that may run at once, and 2,048 for callers and files. Idle connections are the calls of a moment ago:
    /// a call takes one of them before it opens another.
    package static let wanted = UInt64(DispatchBounds.standard.slots + 2048)

    /// Nil where the system doesn't say.
    package static func current() -> OpenFiles? {
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return nil }
        return OpenFiles(limit: UInt64(limits.rlim_cur), most: UInt64(limits.rlim_max))
    }

    /// Raises the limit as far as the process may, and returns what holds then. A system that refuses leaves it.
    package static func raise() -> OpenFiles? {
        guard let found = current(), found.limit < found.most else { return current() }
        var limits = rlimit()
        limits.rlim_cur = rlim_t(found.most)
        limits.rlim_max = rlim_t(found.most)
        _ = setrlimit(resource, &limits)
        return current()
    }

    #if canImport(Glibc)
        private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
    #else
        private static var resource: Int32 { RLIMIT_NOFILE }
    #endif
}
