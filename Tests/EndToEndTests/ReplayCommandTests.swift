import Foundation
import Kernel
import TestSupport
import Testing

@testable import tradewind

@Suite("tradewind replay")
struct ReplayCommandTests {
    /// A shop whose subscription missed some orders.
    private static func missing(
        _ count: Int, _ server: TestServer, _ receiver: Receiver
    ) async throws -> (shop: Shop, subscription: String) {
        let shop = try await Shop.open(server)
        for number in 0..<count { _ = try await shop.deliver(shop.orderEvent("o-\(number)")) }
        for number in 0..<count { _ = try await shop.order("o-\(number)") }
        return (shop, try await shop.subscribe(receiver.url).id)
    }

    @Test("What was missed is counted, sent again and followed to its end", arguments: TestEngine.allCases)
    func story(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let (_, subscription) = try await Self.missing(4, server, receiver)
                let environment = try await server.environment()
                let words = ["replay", subscription, "--from", "1h", "--status", "missed", "--types", "order.*"]
                let counted = try await Program.run(words + ["--dry-run"], environment: environment)
                #expect(counted.exit == .code(0) && counted.output == "4\n", "\(counted.output)\(counted.errors)")
                #expect(receiver.deliveries.isEmpty)

                let sent = try await Program.run(words, environment: environment)
                #expect(sent.exit == .code(0), "\(sent.errors)")
                #expect(sent.errors.contains("4 events to send again") && sent.errors.contains("4 delivered"))
                #expect(Set(receiver.deliveries.map(\.externalID)).count == 4)

                let again = try await Program.run(words, environment: environment)
                #expect(again.exit == .code(0) && again.errors.contains("0 events"), "\(again.errors)")
            }
        }
    }

    @Test(
        "Ctrl-C does what was asked for, and says so",
        arguments: [("cancel", "cancelled"), ("pause", "paused"), ("leave", "running")])
    func interrupt(_ word: String, _ state: String) async throws {
        try await withServer(.sqlite) { server in
            try await Receiver.run { receiver in
                let (shop, subscription) = try await Self.missing(8, server, receiver)
                let gate = receiver.hang()
                try await withTemporaryFolder { folder in
                    // One a second, so that it is not over before it is interrupted.
                    let words = ["replay", subscription, "--from", "1h", "--rate", "1", "--on-interrupt", word]
                    let process = try ChildProcess(
                        [Program.path] + words, environment: try await server.environment(), output: folder + "/out",
                        errors: folder + "/err")
                    try await until("it follows") {
                        try Program.text(of: folder + "/err").contains("Ctrl-C \(word)")
                            || Program.text(of: folder + "/err").contains("Ctrl-C ends")
                    }
                    // The handler stands before the first look, whose words come first.
                    try await until("it has looked") { try Program.text(of: folder + "/err").contains("queued:") }
                    process.signal(SIGINT)
                    #expect(await process.exit() == .code(130))
                    let id = try Program.text(of: folder + "/out").trimmed
                    let now = try await shop.api.get("/api/v1/webhooks/replays/\(id)")
                    #expect(now["state"]?.string == state, "\(now.text)")
                    #expect(try Program.text(of: folder + "/err").contains(word == "leave" ? "left at" : state))
                }
                gate.open()
            }
        }
    }

    @Test("Each end of a replay has its exit code")
    func ends() throws {
        func look(_ state: String, _ deliveries: String, more: String = "") throws -> ReplayLook {
            ReplayLook(
                try JSONValue(
                    parsing: Array(
                        #"{"state": "\#(state)", "total": 3, "queued": 3, "deliveries": {\#(deliveries)}\#(more)}"#.utf8
                    )))
        }
        #expect(try look("completed", #""delivered": 3"#).end?.code == 0)
        #expect(try look("completed", #""delivered": 2, "failed": 1"#).end?.code == 1)
        #expect(try look("completed", #""delivered": 2, "skipped": 1"#).end?.code == 1)
        #expect(try look("completed", #""delivered": 2, "pending": 1"#).end == nil)
        #expect(try look("running", "").end == nil)
        #expect(try look("cancelled", "").end?.code == 1)
        let paused = try look("paused", "", more: #", "reason": "disabled""#)
        #expect(paused.end?.code == 3 && paused.end?.words.contains("disabled") == true)
    }

    @Test("What can't be replayed is refused in words that help")
    func refusals() async throws {
        try await withServer(.sqlite) { server in
            let environment = try await server.environment()
            let stranger = TestServer.stranger
            for (words, expected) in [
                ([stranger, "--from", "1h"], "404"), (["nonsense", "--from", "1h"], "422"),
                ([stranger, "--from", "yesterday"], "--from must be a time"),
                ([stranger, "--from", "1h", "--to", "2h"], "--to must be after --from"),
                ([stranger, "--from", "1h", "--status", "odd"], "odd"),
                ([stranger, "--from", "1h", "--rate", "0"], "422"),
                ([stranger, "--from", "1h", "--token", "wrong"], "401"),
                ([stranger, "--from", "1h", "--hub", "http://127.0.0.1:1"], "can't reach"),
                ([stranger, "--from", "1h", "--hub", "http://"], "--hub must be"),
            ] {
                let outcome = try await Program.run(["replay"] + words, environment: environment)
                #expect(outcome.exit != .code(0) && outcome.output.isEmpty, "\(words)")
                #expect(outcome.errors.contains(expected), "\(words): \(outcome.errors)")
            }
            let viewer = try await Program.run(
                ["replay", stranger, "--from", "1h"], environment: server.environment(role: "viewer"))
            #expect(viewer.errors.contains("403"), "\(viewer.errors)")
        }
    }
}
