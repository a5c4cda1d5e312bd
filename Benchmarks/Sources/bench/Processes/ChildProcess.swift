import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

/// A process that the bench started and ends by its id.
final class ChildProcess: Sendable {
    let id: pid_t
    private let exit = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - environment: added to the bench's own.
    ///   - output: where standard output goes; standard error goes to the same place with `.err` behind its name.
    init(_ path: String, _ arguments: [String], environment: [String: String] = [:], output: String) throws {
        guard !ChildProcess.isEnding.load(ordering: .relaxed) else { throw BenchError("the bench was asked to end") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, output + ".err", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try ChildProcess.keepFilesToItself()

        // The bench ignores these two to clean up first, and its worker threads block most signals; a child must not
        // inherit either, or it could not be asked to end.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGTERM)
        sigaddset(&defaults, SIGINT)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var started: pid_t = 0
        let code = posix_spawnp(&started, path, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw BenchError("\(path) can't be started: \(String(cString: strerror(code)))") }
        id = started
        ChildProcess.running.withLock { _ = $0.insert(started) }
    }

    /// A thousand receivers' sockets of the bench would leave a child none of the files that it may open.
    private static func keepFilesToItself() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let file = Int32(name), file > 2 { _ = fcntl(file, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// Runs a command to its end and returns what it printed.
    static func output(
        of path: String, _ arguments: [String], environment: [String: String] = [:], in folder: String
    ) async throws -> String {
        let file = folder + "/command-\(UInt32.random(in: 0 ... .max)).out"
        let process = try ChildProcess(path, arguments, environment: environment, output: file)
        let status = try await process.wait()
        defer {
            unlink(file)
            unlink(file + ".err")
        }
        let printed = try String(contentsOfFile: file, encoding: .utf8)
        guard status == 0 else {
            let complaint = try String(contentsOfFile: file + ".err", encoding: .utf8)
            throw BenchError("\(path) \(arguments.first ?? "") ended with \(status): \(complaint.suffix(400))")
        }
        return printed
    }

    /// The exit status, or nil while it runs. A process ended by signal n reports 128 + n.
    func poll() -> Int32? {
        exit.withLock { exit in
            if let exit { return exit }
            var status: Int32 = 0
            guard waitpid(id, &status, WNOHANG) == id else { return nil }
            let signal = status & 0x7F
            exit = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
            ChildProcess.running.withLock { _ = $0.remove(id) }
            return exit
        }
    }

    @discardableResult
    func wait() async throws -> Int32 {
        while true {
            if let status = poll() { return status }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Asks with SIGTERM and insists with SIGKILL after `patience`; says whether asking was enough.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM, patience: Duration = .seconds(20)) async -> Bool {
        guard poll() == nil else { return true }
        kill(id, signal)
        let deadline = ContinuousClock.now + patience
        while poll() == nil {
            if ContinuousClock.now > deadline { kill(id, SIGKILL) }
            // Cancellation may not end this early: the process must be gone before the folder is.
            usleep(2_000)
        }
        return ContinuousClock.now <= deadline
    }

    private static let running = Mutex<Set<pid_t>>([])
    private static let isEnding = Atomic(false)

    /// Ends every child when the bench is asked to end; the sources live as long as the result is held.
    static func endWithParent() -> [any DispatchSourceSignal] {
        [SIGTERM, SIGINT].map { signal in
            Glibc.signal(signal, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: signal, queue: .global())
            source.setEventHandler {
                isEnding.store(true, ordering: .relaxed)
                for id in running.withLock({ $0 }) {
                    kill(id, SIGKILL)
                    waitpid(id, nil, 0)
                }
                ScratchFolder.removeAll()
                Glibc.exit(128 + signal)
            }
            source.resume()
            return source
        }
    }
}
