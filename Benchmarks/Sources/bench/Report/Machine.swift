import FoundationEssentials
import Glibc

/// The line without which no figure means anything.
struct Machine: Codable {
    var processor: String
    var kernel: String
    var cores: Int
    var sqlite: String
    var postgres: String
    var flushMedianMilliseconds: Double
    var flushP99Milliseconds: Double

    static func look(flushingIn folder: String) async throws -> Machine {
        let cpu = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("model name") }
        let kernel = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        let flush = try flushTimes(in: folder).percentiles([0.5, 0.99])
        let postgres: String
        do { postgres = try await PostgresCluster.version() } catch { postgres = "no PostgreSQL" }
        return Machine(
            processor: cpu.flatMap { $0.split(separator: ":").last }.map { String($0.dropFirst()) } ?? "unknown",
            kernel: String(kernel.split(separator: "\n").first ?? ""), cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            sqlite: SQLiteFile.version, postgres: postgres, flushMedianMilliseconds: flush[0],
            flushP99Milliseconds: flush[1])
    }

    var line: String {
        let flush = "median \(flushMedianMilliseconds.text(2)) ms, p99 \(flushP99Milliseconds.text(2)) ms"
        return "\(cores) × \(processor) · Linux \(kernel) · SQLite \(sqlite) · \(postgres) · "
            + "fdatasync after 4 KiB: \(flush)"
    }

    static func loadAverage() throws -> Double {
        let words = try String(contentsOfFile: "/proc/loadavg", encoding: .utf8).split(separator: " ")
        return words.first.flatMap { Double($0) } ?? 0
    }

    /// Two hundred times: append 4 KiB, then `fdatasync`, which is what a commit does at least once.
    private static func flushTimes(in folder: String) throws -> Latencies {
        let path = folder + "/flush-probe"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw BenchError("\(path) can't be written") }
        defer {
            close(descriptor)
            unlink(path)
        }
        let page = [UInt8](repeating: 7, count: 4_096)
        var times = Latencies()
        for _ in 0..<200 {
            let began = LoadRun.now()
            guard write(descriptor, page, page.count) == page.count, fdatasync(descriptor) == 0 else {
                throw BenchError("\(path) can't be flushed")
            }
            times.record(nanoseconds: LoadRun.now() - began)
        }
        return times
    }
}
