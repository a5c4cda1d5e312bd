#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the process was given by whoever started it.
package enum ProcessEnvironment {
    /// The process's variables by name.
    package static var variables: [String: String] {
        var found: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { found[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return found
    }
}
