import Dispatch
import Foundation
import StoragePostgres
import Synchronization

/// A throw-away PostgreSQL in a temporary folder, reachable only through a Unix socket there.
///
/// It flushes as a real one does. Its folder goes with it, also when the test process is killed: a small shell waits
/// for the end of a pipe that only this process holds, and then clears up.
package final class PostgresServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let shared = Result { try PostgresServer() }

    /// The server that `TRADEWIND_TEST_POSTGRES` (environment) names, or else one that lives as long as the process.
    package static func sharedURL() throws -> String {
        if let url = ProcessInfo.processInfo.environment["TRADEWIND_TEST_POSTGRES"], !url.isEmpty { return url }
        return try shared.get().url
    }

    /// Connection words for its `postgres` database.
    package let url: String

    private let folder: String
    private let programs: PostgresPrograms
    private let clearing: ChildProcess
    /// While this end of a pipe is open the clearing shell waits.
    private let lifeline: Mutex<Int32?>

    /// Makes the folder and starts the server; takes about two seconds.
    package init(settings: [String] = []) throws {
        programs = try PostgresPrograms()
        // Short, because the path of a Unix socket ends at 107 bytes.
        let name = "twpg-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        url = "host=\(folder) dbname=postgres user=postgres"
        try programs.makeFolder(folder)
        let data = "\(folder)/data"
        let stop = programs.command("pg_ctl", ["-D", data, "-m", "immediate", "-w", "stop"])
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe: \(errno)") }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        clearing = try ChildProcess(["/bin/sh", "-c", Self.clearingScript, "sh", folder] + stop, input: ends[0])
        close(ends[0])
        lifeline = Mutex(ends[1])
        try programs.run(
            "initdb", ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", data],
            in: folder)
        let lines =
            [
                "listen_addresses = ''", "unix_socket_directories = '\(folder)'", "shared_buffers = 64MB",
                "max_connections = 120", "deadlock_timeout = 100ms", "fsync = on",
            ] + settings
        let configuration = "\(data)/postgresql.auto.conf"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: configuration))
        try programs.handOver(configuration)
        try start()
    }

    deinit { remove() }

    private var data: String { "\(folder)/data" }

    /// Returns once it takes connections.
    package func start() throws {
        try programs.run("pg_ctl", ["-D", data, "-l", "\(folder)/server.log", "-w", "start"], in: folder)
    }

    /// - Parameter immediate: ends it as a crash would; otherwise sessions are told and everything is flushed.
    package func stop(immediate: Bool = false) throws {
        try programs.run("pg_ctl", ["-D", data, "-m", immediate ? "immediate" : "fast", "-w", "stop"], in: folder)
    }

    /// Ends the server and deletes its folder; returns when both are done.
    package func remove() {
        let end = lifeline.withLock { end in
            defer { end = nil }
            return end
        }
        guard let end else { return }
        close(end)
        _ = clearing.wait()
    }

    /// The signals of an interrupted terminal end this process but not the shell, so that it still clears up.
    private static let clearingScript =
        "trap '' INT TERM HUP; cat; folder=$1; shift; cd \"$folder\" && \"$@\"; rm -rf \"$folder\""
}

/// PostgreSQL's own programs, run as its own user where the tests run as root: the server refuses to be root.
private struct PostgresPrograms {
    private static let user = "postgres"

    private let folder: String
    private let isRoot = geteuid() == 0

    init() throws {
        let root = "/usr/lib/postgresql"  // where Debian keeps them, outside the path
        let isThere = FileManager.default.fileExists(atPath: root)
        let versions = isThere ? try FileManager.default.contentsOfDirectory(atPath: root) : []
        let numbered = versions.compactMap { Int($0) }.sorted(by: >).map { "\(root)/\($0)/bin" }
        let path = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").map(String.init) ?? []
        let found = (path + numbered).first { FileManager.default.isExecutableFile(atPath: "\($0)/initdb") }
        guard let found else { throw PostgresServer.Failure(description: "PostgreSQL's initdb is nowhere to be found") }
        folder = found
    }

    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try handOver(path)
    }

    /// Gives a file to the server's user.
    func handOver(_ path: String) throws {
        if !isRoot { return }
        guard let entry = getpwnam(Self.user), chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
            throw PostgresServer.Failure(description: "cannot give \(path) to the user \(Self.user)")
        }
    }

    func command(_ name: String, _ arguments: [String]) -> [String] {
        let words = ["\(folder)/\(name)"] + arguments
        return isRoot ? ["/usr/bin/env", "runuser", "-u", Self.user, "--"] + words : words
    }

    func run(_ name: String, _ arguments: [String], in directory: String) throws {
        let output = "\(directory)/\(name).out"
        // The server's user may not enter the folder that the tests run in.
        let words = ["/usr/bin/env", "-C", directory] + command(name, arguments)
        let status = try ChildProcess(words, output: output).wait()
        guard status == 0 else {
            let words = FileManager.default.contents(atPath: output).map { String(decoding: $0, as: UTF8.self) } ?? ""
            throw PostgresServer.Failure(description: "\(name) ended with \(status): \(words)")
        }
    }
}

/// A program started with nothing of ours open in it.
///
/// Foundation's `Process` waits until a socket that the program inherits is closed, and a server that stays on would
/// hold that of its starter, and those of others, for ever.
private struct ChildProcess {
    private let identifier: pid_t

    init(_ command: [String], input: Int32? = nil, output: String = "/dev/null") throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Closing what is not open does no harm here.
        for descriptor: Int32 in 3..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var words = command.map { $0.withCString { strdup($0) } }
        defer { for word in words { free(word) } }
        words.append(nil)
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, command[0], &actions, nil, words, environ)
        guard code == 0 else { throw PostgresServer.Failure(description: "cannot start \(command): \(code)") }
        self.identifier = identifier
    }

    /// Waits for its end; answers its exit code, or -1 when a signal ended it.
    func wait() -> Int {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) == -1, errno == EINTR {}
        return status & 0x7f == 0 ? Int((status >> 8) & 0xff) : -1
    }
}

/// Databases lent at once: each engine on one takes about six of the server's connections.
private let databaseSlots = TestSlots(12)

/// Makes a new database on the server, hands its URL to the body, and drops it afterwards, sessions or not.
package func withFreshPostgresDatabase<T>(
    serverURL: String, language: String? = nil, _ body: (_ url: String) async throws -> T
) async throws -> T {
    try await databaseSlots.withSlot {
        let name = "tw_\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        let order = language.map { " TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE '\($0)'" } ?? ""
        try await runAside("CREATE DATABASE \(name)\(order)", at: serverURL)
        let result: T
        do {
            result = try await body(postgresURL(serverURL, database: name))
        } catch {
            try await runAside("DROP DATABASE \(name) WITH (FORCE)", at: serverURL)
            throw error
        }
        try await runAside("DROP DATABASE \(name) WITH (FORCE)", at: serverURL)
        return result
    }
}

/// Waits for the server on another thread than those that all tests share.
private func runAside(_ command: String, at url: String) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        DispatchQueue.global().async {
            continuation.resume(with: Result { try PostgresDatabase.runAlone(command, at: url) })
        }
    }
}

/// The same server with another database; takes both forms that libpq takes.
package func postgresURL(_ url: String, database: String) -> String {
    guard let scheme = url.range(of: "://") else { return "\(url) dbname=\(database)" }
    let question = url.firstIndex(of: "?") ?? url.endIndex
    let slash = url[scheme.upperBound..<question].firstIndex(of: "/") ?? question
    return "\(url[..<slash])/\(database)\(url[question...])"
}
