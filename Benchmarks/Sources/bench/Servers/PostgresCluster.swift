import FoundationEssentials
import Glibc

/// A PostgreSQL with its own settings untouched but for where it listens, in a folder that goes with it.
///
/// Flushing stays as durable as it comes: `fsync` and `synchronous_commit` are on.
final class PostgresCluster: Sendable {
    private let folder: String
    private let postmaster: ChildProcess

    init(in parent: String, environment: [String: String] = [:]) async throws {
        // Short, because the path of a Unix socket ends at 107 bytes.
        folder = try ScratchFolder.make(in: "/tmp", prefix: "twb")
        chmod(folder, 0o700)
        if geteuid() == 0 {
            guard let entry = getpwnam("postgres"), chown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0
            else {
                throw BenchError("PostgreSQL refuses to be root, and there is no user postgres")
            }
        }
        let initialise = try Self.command(
            Self.program("initdb"),
            ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "\(folder)/data"])
        _ = try await ChildProcess.output(of: initialise.path, initialise.arguments, in: parent)
        let start = try Self.command(
            Self.program("postgres"),
            ["-D", "\(folder)/data", "-k", folder, "-c", "listen_addresses=", "-c", "shared_buffers=512MB"])
        let printed = parent + "/postgres.out"
        postmaster = try ChildProcess(start.path, start.arguments, environment: environment, output: printed)
        let readiness = "\(folder)/data/postmaster.pid"
        while try !Self.isReady(readiness) {
            if let status = postmaster.poll() {
                let words = try String(contentsOfFile: printed + ".err", encoding: .utf8)
                throw BenchError("PostgreSQL ended with \(status): \(words)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The last line of `postmaster.pid` is the server's own word on whether it takes connections.
    private static func isReady(_ file: String) throws -> Bool {
        guard FileManager.default.fileExists(atPath: file) else { return false }
        return try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").last?.hasPrefix("ready")
            ?? false
    }

    /// The URL of a new, empty database.
    func makeDatabase() async throws -> String {
        try await PostgresCluster.makeDatabase(at: "postgresql://postgres@/postgres?host=\(folder)")
    }

    /// The baseline of group commit: one order and one commit at a time; commits a second.
    func commitLoop(seconds: Double) async throws -> Double {
        let url = try await makeDatabase()
        _ = try await Self.psql(
            url,
            [
                "CREATE TABLE inbox (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body BYTEA NOT NULL)",
                "CREATE TABLE inbox_key (key UUID NOT NULL PRIMARY KEY)",
            ])
        let script = "\(folder)/commit-loop.sql"
        let order = "INSERT INTO inbox (body) VALUES (convert_to(repeat('A', 800), 'UTF8'))"
        try "WITH o AS (\(order)) INSERT INTO inbox_key (key) VALUES (gen_random_uuid());\n"
            .write(toFile: script, atomically: false, encoding: .utf8)
        let arguments = ["-n", "-M", "prepared", "-c", "1", "-T", "\(max(1, Int(seconds)))", "-f", script, url]
        let printed = try await ChildProcess.output(of: Self.program("pgbench"), arguments, in: "/tmp")
        guard let words = printed.firstRange(of: "tps = "),
            let rate = Double(printed[words.upperBound...].prefix { $0 != " " })
        else { throw BenchError("pgbench printed no rate: \(printed)") }
        return rate
    }

    func stop() async {
        // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        await postmaster.stop(SIGINT)
        ScratchFolder.remove(folder)
    }

    /// Makes a database on a running server; takes both of libpq's forms, keyword words and URL.
    static func makeDatabase(at url: String) async throws -> String {
        let name = "bench_\(String(UInt32.random(in: 0 ... .max), radix: 36))"
        _ = try await psql(url, ["CREATE DATABASE \(name)"])
        guard let scheme = url.firstRange(of: "://") else { return "\(url) dbname=\(name)" }
        let question = url.firstIndex(of: "?") ?? url.endIndex
        let slash = url[scheme.upperBound..<question].firstIndex(of: "/") ?? question
        return "\(url[..<slash])/\(name)\(url[question...])"
    }

    /// Runs commands one after the other, each a transaction of its own, up to the first that fails; returns the rows.
    static func psql(_ url: String, _ commands: [String]) async throws -> String {
        let arguments = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url] + commands.flatMap { ["-c", $0] }
        return try await ChildProcess.output(of: program("psql"), arguments, in: "/tmp")
    }

    static func version() async throws -> String {
        let words = try await ChildProcess.output(of: program("postgres"), ["--version"], in: "/tmp")
        return String(words.split(separator: "\n").first ?? "")
    }

    /// One of PostgreSQL's programs: Debian keeps only some of them in the path.
    private static func program(_ name: String) throws -> String {
        let root = "/usr/lib/postgresql"  // where Debian keeps them, by version
        let isThere = FileManager.default.fileExists(atPath: root)
        let versions = isThere ? try FileManager.default.contentsOfDirectory(atPath: root) : []
        let path = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").map(String.init) ?? []
        let folders = path + versions.compactMap { Int($0) }.sorted(by: >).map { "\(root)/\($0)/bin" }
        guard let found = folders.first(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }) else {
            throw BenchError("PostgreSQL's \(name) is nowhere to be found")
        }
        return "\(found)/\(name)"
    }

    private static func command(_ path: String, _ arguments: [String]) -> (path: String, arguments: [String]) {
        if geteuid() != 0 { return (path, arguments) }
        // setpriv replaces itself by the program, so that the id that is ended later is the program's.
        return ("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", path] + arguments)
    }
}
