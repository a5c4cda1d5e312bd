import Foundation
import HTTPTypes
import Kernel
import Signing
import TestSupport
import Testing

@Suite("tradewind listen and trigger")
struct ListenCommandTests {
    /// A running `listen`, and what it has written so far.
    private struct Listening: Sendable {
        let process: ChildProcess
        let folder: String

        var output: String { (try? Program.text(of: folder + "/out")) ?? "" }
        var errors: String { (try? Program.text(of: folder + "/err")) ?? "" }

        static func start(_ server: TestServer, _ words: [String], in folder: String) async throws -> Listening {
            let process = try ChildProcess(
                [Program.path, "listen"] + words,
                environment: try await server.environment(), output: folder + "/out", errors: folder + "/err")
            let listening = Listening(process: process, folder: folder)
            try await until("it listens; it said: \(listening.errors)") {
                if process.hasEnded { throw Overdue(description: "listen ended: \(listening.errors)") }
                return listening.errors.contains("listening")
            }
            return listening
        }

        func wait(for text: String) async throws {
            try await until("\(text) in: \(output)\(errors)") { output.contains(text) }
        }
    }

    private static func register(_ server: TestServer) async throws -> Caller {
        let api = server.caller(token: try await server.token())
        let answer = try await api.post(
            "/api/v1/webhooks/event-types",
            """
            {"name": "ticket.opened", "summary": "A ticket was opened.", "example": {"title": "Broken"},
             "schema": {"type": "object", "properties": {"title": {"type": "string"}}}}
            """)
        #expect(answer.status == 201, "\(answer.text)")
        return api
    }

    @Test(
        "What is triggered is shown, forwarded with true signatures, and Ctrl-C ends it well",
        arguments: TestEngine.allCases)
    func forward(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                try await withTemporaryFolder { folder in
                    _ = try await Self.register(server)
                    let environment = try await server.environment()
                    let before = try await Program.run(["trigger", "ticket.opened"], environment: environment)
                    #expect(before.exit == .code(0), "\(before.errors)")
                    let listening = try await Listening.start(
                        server, ["--type", "ticket.*", "--forward-to", receiver.url], in: folder)
                    try Data(#"{"title": "Worn"}"#.utf8).write(to: URL(fileURLWithPath: folder + "/data"))
                    let event = try await Program.run(
                        ["trigger", "ticket.opened", "--data", folder + "/data"], environment: environment)
                    #expect(event.exit == .code(0), "\(event.errors)")
                    let id = event.output.trimmed

                    try await listening.wait(for: "-> 200 in ")
                    #expect(listening.output.split(separator: "\n").count == 2, "\(listening.output)")
                    let ulid = try #require(ID<Receiver>(id)).ulid
                    #expect(listening.output.contains("ticket.opened") && listening.output.contains(ulid))
                    let secret = try #require(
                        listening.errors.split(separator: "\n").first { $0.hasPrefix("signed with ") }?.dropFirst(12))
                    let delivery = try #require(receiver.deliveries.first)
                    #expect(delivery.isSigned(with: String(secret)))
                    #expect(delivery.eventID == id && delivery.json["payload"]?["title"]?.string == "Worn")
                    #expect(delivery.json["user_id"]?.string == TestServer.tenant)
                    listening.process.signal(SIGINT)
                    #expect(await listening.process.exit() == .code(0))
                }
            }
        }
    }

    @Test("A listener goes on where it was when the server comes back, in JSON, and misses nothing")
    func resume() async throws {
        try await withCopies(1, of: .sqlite) { servers in
            try await withTemporaryFolder { folder in
                let server = servers[0]
                try await server.start()
                let api = try await Self.register(server)
                let port = server.port
                let listening = try await Listening.start(server, ["--json"], in: folder)
                let first = try await Program.run(["trigger", "ticket.opened"], environment: server.environment())
                #expect(first.exit == .code(0), "\(first.errors)")
                try await listening.wait(for: "Broken")
                await server.stop()
                try await until("it says so") { listening.errors.contains("again behind") }
                try await server.start(port: port)
                let second = try await api.post(
                    "/api/v1/events", #"{"event_type": "ticket.opened", "payload": {"title": "Second"}}"#)
                #expect(second.status == 201, "\(second.text)")
                try await listening.wait(for: "Second")
                let lines = listening.output.split(separator: "\n")
                #expect(lines.count == 2, "\(listening.output)")
                for line in lines {
                    #expect(try JSONValue(parsing: Array(line.utf8))["event_type"]?.string == "ticket.opened")
                }
                listening.process.signal(SIGTERM)
                #expect(await listening.process.exit() == .code(0))
            }
        }
    }

    @Test("--since begins behind an event, and a cursor that has expired is told as such")
    func since() async throws {
        try await withServer(.sqlite) { server in
            try await withTemporaryFolder { folder in
                let api = try await Self.register(server)
                var ids: [String] = []
                for title in ["One", "Two"] {
                    let answer = try await api.post(
                        "/api/v1/events", #"{"event_type": "ticket.opened", "payload": {"title": "\#(title)"}}"#)
                    ids.append(try answer.text("event_id"))
                }
                let listening = try await Listening.start(server, ["--json", "--since", ids[0]], in: folder)
                try await listening.wait(for: "Two")
                #expect(!listening.output.contains("One"))
                listening.process.signal(SIGINT)
                _ = await listening.process.exit()

                let old = "00000000-0000-7000-8000-000000000001"
                let gone = try await Program.run(["listen", "--since", old], environment: server.environment())
                #expect(gone.exit == .code(1))
                #expect(gone.errors.contains("has expired") && gone.errors.contains("--since"), "\(gone.errors)")
            }
        }
    }

    @Test("An example of any type goes to one subscription, and its event's id is printed")
    func example() async throws {
        try await withServer(.sqlite) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let subscription = try await shop.subscribe(receiver.url)
                let sent = try await Program.run(
                    ["trigger", "order.created", "--subscription", subscription.id], environment: server.environment())
                #expect(sent.exit == .code(0), "\(sent.errors)")
                try await until("it has arrived") { receiver.deliveries.count == 1 }
                #expect(receiver.deliveries[0].eventID == sent.output.trimmed)
                #expect(receiver.deliveries[0].isSigned(with: subscription.secret))
                #expect(try await shop.feed().isEmpty)
            }
        }
    }

    @Test("What can't be triggered is refused in words that help")
    func refusals() async throws {
        try await withServer(.sqlite) { server in
            _ = try await Self.register(server)
            let environment = try await server.environment()
            for (words, expected) in [
                (["ticket.opend"], "the nearest is ticket.opened"), (["order.created"], "--subscription ID"),
                (["ticket.opened", "--data", "/nowhere"], "/nowhere"),
                (["ticket.opened", "--subscription", "nonsense"], "must be a UUID"),
                (["ticket.opened", "--subscription", TestServer.stranger], "404"),
                (["ticket.opened", "--token", "wrong"], "401"),
                (["ticket.opened", "--hub", "ftp://a"], "--hub must be"),
            ] {
                let outcome = try await Program.run(["trigger"] + words, environment: environment)
                #expect(outcome.exit != .code(0) && outcome.output.isEmpty, "\(words)")
                #expect(outcome.errors.contains(expected), "\(words): \(outcome.errors)")
            }
        }
    }

    @Test("A listener that can't begin ends at once and says why")
    func unusable() async throws {
        try await withServer(.sqlite) { server in
            let environment = try await server.environment()
            for (words, expected) in [
                (["--hub", "http://127.0.0.1:1"], "can't reach http://127.0.0.1:1"),
                (["--token", "wrong"], "401"), (["--type", "oder.*"], "nearest"),
                (["--type", "a b"], "--type must be"),
                (["--since", "nonsense"], "422"), (["--forward-to", "nowhere"], "--forward-to must be"),
                (["--forward-to", "http://127.0.0.1:1", "--profile", "fancy"], "--profile must be one of synq"),
            ] {
                let outcome = try await Program.run(["listen"] + words, environment: environment)
                #expect(outcome.exit != .code(0), "\(words)")
                #expect(outcome.errors.contains(expected), "\(words): \(outcome.errors)")
            }
            let without = try await Program.run(["listen"])
            #expect(without.errors.contains("TRADEWIND_TOKEN"), "\(without.errors)")
        }
    }
}
