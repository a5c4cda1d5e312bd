import ArgumentParser
import Kernel
import Server
import Signing
import Webhooks

struct Listen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows events of a running hub as they happen, and hands them on to a local address.",
        discussion: """
            Begins with what happens from now on. When the connection breaks it is opened again, and nothing is \
            missed. Ctrl-C ends it.
            """)

    @OptionGroup var options: HubOptions

    @Option(help: "A type or a pattern such as order.*; left out, all.")
    var type: String?

    @Option(help: "Begin behind this event (its id); left out, now.")
    var since: String?

    @Flag(help: "Prints each event as a line of JSON.")
    var json = false

    @Option(help: "URL that each event is posted to, signed as a delivery would be.")
    var forwardTo: String?

    @Option(help: "How a forwarded delivery looks: synq, synthesq, synctec or standard.")
    var profile = ProfileCatalog.usual.name

    @Flag(help: "Forwards thin deliveries: only what happened to what.")
    var thin = false

    @Option(help: "What forwarded deliveries are signed with; else TRADEWIND_SIGNING_SECRET, else one is made.")
    var secret: String?

    func run() async throws {
        let client = try options.client()
        let output = try EventLines(asJSON: json)
        let forwarder = try forwarder(client)
        let cursor = since
        let path = try path()
        // Nothing is to be done when a signal ends it: what was shown is shown, and a cursor is in each line.
        _ = try await untilInterrupted {
            var follower = StreamFollower(client: client, path: path, cursor: cursor)
            if cursor == nil { try await follower.beginAtNow() }
            try await follower.run { event in
                try output.write(event)
                if let forwarder { try output.write(try await forwarder.forward(event), of: event) }
            }
        }
    }

    private func path() throws -> String {
        let root = "/api/v1/webhooks/events/stream"
        guard let type else { return root }
        guard type.utf8.allSatisfy(Self.isPlain) else {
            throw ValidationError("--type must be a type or a pattern such as order.*, not \"\(type)\"")
        }
        return root + "?event_type=\(type)"
    }

    /// The characters of types and patterns, none of which has to be escaped in a URL.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "*"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private func forwarder(_ client: HubClient) throws -> EventForwarder? {
        guard let forwardTo else { return nil }
        try requireWebAddress(forwardTo, "--forward-to")
        guard let profile = ProfileCatalog.profile(named: profile) else {
            let names = ProfileCatalog.all.map(\.name).joined(separator: ", ")
            throw ValidationError("--profile must be one of \(names), not \"\(profile)\"")
        }
        let given = secret ?? ClientVariable.signingSecret.value
        let text = given ?? SecretFactory().outboundSecret().revealText(for: "showing it to its only user")
        guard let key = SigningKey(Secret(text)) else { throw ValidationError("--secret must not be empty") }
        try show("forwarding to \(forwardTo) as \(profile.name)\n")
        if given == nil { try show("signed with \(text)\n") }
        return EventForwarder(
            client: client, url: forwardTo, profile: profile, mode: thin ? .thin : .full, key: key)
    }
}
