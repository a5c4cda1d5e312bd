import Foundation
import Synchronization

/// A program that a test started, with nothing of the tests' own open in it. It dies with the tests, whatever ends
/// them.
final class ChildProcess: Sendable {
    enum Exit: Equatable, Sendable {
        case code(Int)
        case signal(Int)
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var exit: Exit?
        var waiting: [CheckedContinuation<Exit, Never>] = []
    }

    let identifier: pid_t
    private let state = Mutex(State())

    /// - Parameters:
    ///   - environment: what the program sees beside the path; nothing else is handed down.
    ///   - output: file for its standard output, appended to.
    init(
        _ command: [String], environment: [String: String], input: String = "/dev/null", output: String, errors: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        closeOthers(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that this process ignores or blocks are nothing that a program should begin with.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var variables = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
        variables.merge(environment) { _, given in given }
        let words = CStrings(command)
        let settings = CStrings(variables.map { "\($0.key)=\($0.value)" })
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, command[0], &actions, &attributes, words.pointers, settings.pointers)
        guard code == 0 else {
            throw Failure(description: "cannot start \(command[0]): \(String(cString: strerror(code)))")
        }
        self.identifier = identifier
        Warden.shared.watch(identifier)
        Thread.detachNewThread { self.reap() }
    }

    /// Waits until the program has ended.
    func exit() async -> Exit {
        await withCheckedContinuation { continuation in
            let exit = state.withLock { state in
                if state.exit == nil { state.waiting.append(continuation) }
                return state.exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    var hasEnded: Bool { state.withLock { $0.exit != nil } }

    /// Sends a signal, unless the program has ended: its number may be another's by then.
    func signal(_ number: Int32) {
        state.withLock { state in
            if state.exit == nil { kill(identifier, number) }
        }
    }

    private func reap() {
        var found = siginfo_t()
        // The number stays the program's own until it is reaped, which happens under the lock.
        while waitid(P_PID, id_t(identifier), &found, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        let (exit, waiting) = state.withLock { state in
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) == -1, errno == EINTR {}
            let signal = Int(status & 0x7f)
            let exit: Exit = signal == 0 ? .code(Int((status >> 8) & 0xff)) : .signal(signal)
            state.exit = exit
            defer { state.waiting = [] }
            return (exit, state.waiting)
        }
        Warden.shared.forget(identifier)
        for continuation in waiting { continuation.resume(returning: exit) }
    }
}

/// Keeps what is open here out of a program. Closing what is not open does no harm, and tests that open more than this
/// mark their own.
private func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
    for descriptor: Int32 in 3..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
}

/// Texts as C wants them, with a nil at the end.
private final class CStrings {
    private(set) var pointers: [UnsafeMutablePointer<CChar>?]

    init(_ texts: [String]) {
        pointers = texts.map { strdup($0) }
        pointers.append(nil)
    }

    deinit {
        for pointer in pointers { free(pointer) }
    }
}

/// A small shell that outlives the tests for a moment and kills what they leave running.
private final class Warden: Sendable {
    static let shared = Warden()

    /// While this end of a pipe is open the shell waits.
    private let lifeline: Int32

    private static let script = """
        trap '' INT TERM HUP
        live=
        while read -r sign number; do
            others=
            for one in $live; do [ "$one" = "$number" ] || others="$others $one"; done
            live=$others
            [ "$sign" = - ] || live="$live $number"
        done
        [ -z "$live" ] || kill -9 $live
        """

    private init() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { preconditionFailure("the tests have no pipe left: \(errno)") }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        lifeline = ends[1]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        closeOthers(&actions)
        let words = CStrings(["/bin/sh", "-c", Self.script])
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, "/bin/sh", &actions, nil, words.pointers, environ)
        precondition(code == 0, "the tests cannot start a shell: \(code)")
        posix_spawn_file_actions_destroy(&actions)
        close(ends[0])
    }

    func watch(_ process: pid_t) { tell("+ \(process)\n") }
    func forget(_ process: pid_t) { tell("- \(process)\n") }

    /// Lines this short are written in one piece (POSIX, write to a pipe).
    private func tell(_ line: String) {
        let bytes = Array(line.utf8)
        _ = write(lifeline, bytes, bytes.count)
    }
}
