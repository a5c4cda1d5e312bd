import Glibc

/// The limit of files and connections of this process and of those that it starts.
enum OpenFiles {
    /// Raises the limit to what the system allows; throws where that is too few.
    static func allow(_ count: Int) throws {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { throw BenchError("the system does not tell its open files") }
        if limits.rlim_cur >= rlim_t(count) { return }
        let most = limits.rlim_max
        limits.rlim_cur = most
        guard most >= rlim_t(count), setrlimit(resource, &limits) == 0 else {
            throw BenchError("\(count) open files are needed, and the system allows \(most): raise its hard limit")
        }
    }
}
