import FoundationEssentials
import Glibc

/// What the kernel says of a process's use of the machine (proc(5): `stat`, `status`).
struct ProcessUse {
    let cpuSeconds: Double
    let residentMiB: Double
    let peakResidentMiB: Double

    init(of id: pid_t) throws {
        let stat = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
        // The command's name stands in brackets and may hold blanks: fields are counted behind it.
        guard let bracket = stat.lastIndex(of: ")") else { throw BenchError("/proc/\(id)/stat can't be read") }
        let fields = stat[bracket...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw BenchError("/proc/\(id)/stat can't be read")
        }
        cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))

        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        func mebibytes(_ name: String) -> Double {
            for line in status.split(separator: "\n") where line.hasPrefix(name) {
                let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
                if words.count > 1, let kibibytes = Double(words[1]) { return kibibytes / 1_024 }
            }
            return 0
        }
        residentMiB = mebibytes("VmRSS:")
        peakResidentMiB = mebibytes("VmHWM:")
    }

    /// Seconds that PostgreSQL's sessions with a database have used so far; those that have ended are not counted.
    static func cpuSeconds(ofSessionsWith database: String) throws -> Double {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.reduce(0) { sum, id in
            // A process may end between two looks.
            guard let title = try? String(contentsOfFile: "/proc/\(id)/cmdline", encoding: .utf8),
                title.hasPrefix("postgres: "), title.split(separator: " ").contains(Substring(database)),
                let use = try? ProcessUse(of: id)
            else { return sum }
            return sum + use.cpuSeconds
        }
    }

    /// Waits until the process has used less than a twentieth of a processor for a second: its backlog is done.
    static func waitUntilIdle(_ id: pid_t, atMost limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        var last = try ProcessUse(of: id).cpuSeconds
        repeat {
            try await Task.sleep(for: .seconds(1))
            let now = try ProcessUse(of: id).cpuSeconds
            if now - last < 0.05 { return }
            last = now
        } while ContinuousClock.now < deadline
        throw BenchError("the server was still busy after \(limit)")
    }
}
