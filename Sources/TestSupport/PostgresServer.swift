import Foundation
import StoragePostgres
import Synchronization

/// A throw-away PostgreSQL in a temporary folder, reachable only through a Unix socket there.
///
/// It flushes as a real one does. Its folder goes with it, also when the test process is killed: a small shell waits for
/// the end of a pipe that only this process holds, and then clears up.
package final class PostgresServer: @unchecked Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let shared = Result { try PostgresServer() }

    /// The server that the environment names (`TRADEWIND_TEST_POSTGRES`), or else one that lives as long as the process.
    package static func sharedURL() throws -> String {
        if let url = ProcessInfo.processInfo.environment["TRADEWIND_TEST_POSTGRES"], !url.isEmpty { return url }
        return try shared.get().url
    }

    /// Connection words for its `postgres` database.
    package let url: String

    private let folder: String
    private let programs: PostgresPrograms
    /// While its writing end is open the clearing shell waits.
    private let lifeline = Pipe()
    private let clearing = Process()
    private let isRemoved = Mutex(false)

    /// Makes the folder and starts the server; takes about two seconds.
    package init(settings: [String] = []) throws {
        programs = try PostgresPrograms()
        // Short, because the path of a Unix socket ends at 107 bytes.
        let name = "twpg-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        url = "host=\(folder) dbname=postgres user=postgres"
        try programs.makeFolder(folder)
        try startClearing()
        try programs.run(
            "initdb", ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", data],
            in: folder)
        let lines =
            [
                "listen_addresses = ''", "unix_socket_directories = '\(folder)'", "shared_buffers = 64MB",
                "max_connections = 60", "deadlock_timeout = 100ms", "fsync = on",
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
        let isFirst = isRemoved.withLock { isRemoved in
            defer { isRemoved = true }
            return !isRemoved
        }
        guard isFirst, clearing.isRunning else { return }
        lifeline.fileHandleForWriting.closeFile()
        clearing.waitUntilExit()
    }

    private func startClearing() throws {
        let (program, arguments) = programs.command("pg_ctl", ["-D", data, "-m", "immediate", "-w", "stop"])
        clearing.executableURL = URL(fileURLWithPath: "/bin/sh")
        clearing.arguments = [
            "-c", "trap '' INT TERM HUP; cat; folder=$1; shift; cd \"$folder\" && \"$@\"; rm -rf \"$folder\"", "sh",
            folder, program,
        ] + arguments
        clearing.standardInput = lifeline.fileHandleForReading
        clearing.standardOutput = FileHandle.nullDevice
        clearing.standardError = FileHandle.nullDevice
        // A child that held the writing end too would keep the pipe open.
        _ = fcntl(lifeline.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        try clearing.run()
    }
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

    func command(_ name: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        let program = "\(folder)/\(name)"
        if !isRoot { return (program, arguments) }
        return ("/usr/bin/env", ["runuser", "-u", Self.user, "--", program] + arguments)
    }

    func run(_ name: String, _ arguments: [String], in directory: String) throws {
        let process = Process()
        let (program, arguments) = command(name, arguments)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.standardInput = FileHandle.nullDevice
        // A file and no pipe: the server inherits it, and a pipe would then never end.
        let output = "\(directory)/\(name).out"
        guard FileManager.default.createFile(atPath: output, contents: nil),
            let handle = FileHandle(forWritingAtPath: output)
        else {
            throw PostgresServer.Failure(description: "cannot write \(output)")
        }
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        process.waitUntilExit()
        try handle.close()
        guard process.terminationStatus == 0 else {
            let words = FileManager.default.contents(atPath: output).map { String(decoding: $0, as: UTF8.self) } ?? ""
            throw PostgresServer.Failure(description: "\(name) ended with \(process.terminationStatus): \(words)")
        }
    }
}

/// Makes a new database on the server, hands its URL to the body, and drops it afterwards, sessions or not.
package func withFreshPostgresDatabase<T>(
    serverURL: String, _ body: (_ url: String) async throws -> T
) async throws -> T {
    let name = "tw_\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    try PostgresDatabase.runAlone("CREATE DATABASE \(name)", at: serverURL)
    let result: T
    do {
        result = try await body(postgresURL(serverURL, database: name))
    } catch {
        try PostgresDatabase.runAlone("DROP DATABASE \(name) WITH (FORCE)", at: serverURL)
        throw error
    }
    try PostgresDatabase.runAlone("DROP DATABASE \(name) WITH (FORCE)", at: serverURL)
    return result
}

/// The same server with another database; takes both forms that libpq takes.
package func postgresURL(_ url: String, database: String) -> String {
    guard let scheme = url.range(of: "://") else { return "\(url) dbname=\(database)" }
    let question = url.firstIndex(of: "?") ?? url.endIndex
    let slash = url[scheme.upperBound..<question].firstIndex(of: "/") ?? question
    return "\(url[..<slash])/\(database)\(url[question...])"
}
