import ArgumentParser
import Kernel
import NIOHTTP1
import Server
import Webhooks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct ReplayEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Sends past events to a subscription once more, and follows it to the end.",
        discussion: """
            Ends with 0 when all were delivered, 1 when some failed or were skipped, 3 when the replay was paused, \
            130 when it was interrupted. What is paused goes on with POST /api/v1/webhooks/replays/ID/resume.
            """)

    enum OnInterrupt: String, ExpressibleByArgument, CaseIterable {
        case cancel, pause, leave
    }

    private static let root = "/api/v1/webhooks/replays"

    @Argument(help: "UUID of the subscription.")
    var subscription: String

    @Option(help: "Begin: a time of RFC 3339, or how long ago, such as 2h.")
    var from: String

    @Option(help: "End, in the same forms; left out, it is now.")
    var to: String?

    @Option(help: "Types and patterns, separated by commas; left out, what the subscription asks for.")
    var types: String?

    @Option(help: "all, failed (tried and never taken) or missed (never tried).")
    var status = Replay.Selection.all

    @Option(help: "Deliveries a second at most, 1 to 10000.")
    var rate: Int?

    @Flag(help: "Only counts the events.")
    var dryRun = false

    @Flag(help: "Ends once the replay has begun, and prints its id.")
    var detach = false

    @Option(help: "What Ctrl-C does to the replay: cancel, pause or leave.")
    var onInterrupt = OnInterrupt.cancel

    @OptionGroup var options: HubOptions

    func run() async throws {
        let client = try options.client()
        let now = TimeSource.system.now()
        let (since, until) = (try time(from, "--from", now), try to.map { try time($0, "--to", now) })
        if let until, until <= since { throw ValidationError("--to must be after --from") }
        let counted = try await client.post(Self.root, request(since, until, isDryRun: true))
        let total = Int(counted["total"]?.integer ?? 0)
        if dryRun {
            print(total)
            return
        }
        try show("\(total) events to send again\n")
        if total == 0 { return }
        let begun = try await client.post(Self.root, request(since, until, isDryRun: false))
        guard let id = begun["id"]?.string else { throw HubClient.Refused("the hub did not say the replay's id") }
        print(id)
        if detach { return }
        try show("Ctrl-C \(Self.told(onInterrupt))\n")
        let path = "\(Self.root)/\(id)"
        let end: Int32?
        do {
            end = try await untilInterrupted { try await Self.follow(path, client) }
        } catch {
            try show("the replay itself goes on in the hub; GET \(path) tells how\n")
            throw error
        }
        guard let end else {
            try await interrupt(path, client)
            throw ExitCode(130)
        }
        if end != 0 { throw ExitCode(end) }
    }

    private func time(_ text: String, _ name: String, _ now: Timestamp) throws -> Timestamp {
        if let time = Timestamp(text) { return time }
        guard let ago = try? Duration(option: text, name) else {
            throw ValidationError(
                "\(name) must be a time such as 2025-01-01T00:00:00Z, or how long ago, such as 2h, not \"\(text)\"")
        }
        return now - ago
    }

    private func request(_ since: Timestamp, _ until: Timestamp?, isDryRun: Bool) -> [UInt8] {
        JSONWriter.object { writer in
            writer.field("subscription_id", subscription)
            writer.field("since", since)
            if let until { writer.field("until", until) }
            if let types {
                writer.arrayField("event_types") { writer in
                    for type in types.split(separator: ",") { writer.string(String(type).trimmed) }
                }
            }
            writer.field("only", status.rawValue)
            if let rate { writer.field("rate", rate) }
            writer.field("dry_run", isDryRun)
        }
    }

    // MARK: Following

    /// Shows how far it is until nothing of it waits any more; answers the exit code.
    private static func follow(_ path: String, _ client: HubClient) async throws -> Int32 {
        var progress = ProgressLine(isTerminal: isatty(STDERR_FILENO) == 1)
        while true {
            let look = ReplayLook(try await client.call(.GET, path))
            if let (words, code) = look.end {
                try show(progress.end(words))
                return code
            }
            try show(progress.text(look.settled, of: look.total, look.words))
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private static func told(_ onInterrupt: OnInterrupt) -> String {
        switch onInterrupt {
        case .cancel: "cancels the replay; --on-interrupt pause or leave does otherwise"
        case .pause: "pauses the replay"
        case .leave: "ends this command and leaves the replay running"
        }
    }

    private func interrupt(_ path: String, _ client: HubClient) async throws {
        let now = ReplayLook(try await client.call(.GET, path))
        guard onInterrupt != .leave, now.state != "completed" else {
            return try show("\nleft at: \(now.words); GET \(path) tells how it goes on\n")
        }
        let one = ReplayLook(try await client.call(.POST, "\(path)/\(onInterrupt.rawValue)"))
        switch onInterrupt {
        case .pause:
            try show("\npaused after \(one.queued) of \(one.total) events; POST \(path)/resume goes on\n")
        case .cancel, .leave:
            try show("\ncancelled after \(one.queued) of \(one.total) events; what was delivered stays delivered\n")
        }
    }
}

extension Replay.Selection: ExpressibleByArgument {}

/// What one look at a replay says. Pure.
struct ReplayLook {
    let state: String
    let reason: String?
    let total: Int
    let queued: Int
    private let pending: Int
    private let delivered: Int
    private let failed: Int
    private let skipped: Int

    init(_ json: JSONValue) {
        func count(_ value: JSONValue?) -> Int { Int(value?.integer ?? 0) }
        state = json["state"]?.string ?? "gone"
        reason = json["reason"]?.string
        total = count(json["total"])
        queued = count(json["queued"])
        let deliveries = json["deliveries"]
        pending = count(deliveries?["pending"])
        delivered = count(deliveries?["delivered"])
        failed = count(deliveries?["failed"])
        skipped = count(deliveries?["skipped"])
    }

    var settled: Int { delivered + failed + skipped }

    var words: String {
        "\(queued) of \(total) queued: \(delivered) delivered, \(failed) failed, \(skipped) skipped, \(pending) waiting"
    }

    /// How it ended and the exit code for that; nil while it goes on.
    var end: (words: String, code: Int32)? {
        switch state {
        case "completed" where pending == 0: ("completed: \(words)", failed + skipped == 0 ? 0 : 1)
        case "completed", "running": nil
        case "paused": ("paused\(reason.map { " (\($0))" } ?? ""): \(words)", 3)
        default: ("\(state): \(words)", 1)
        }
    }
}
