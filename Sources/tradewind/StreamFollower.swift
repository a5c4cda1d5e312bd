import AsyncHTTPClient
import Kernel
import NIOCore
import NIOHTTP1

/// Follows the stream of a hub over breaks: opens it again behind the last event, later each time that this fails.
struct StreamFollower {
    /// An event as the feed shows it.
    typealias Taker = (JSONValue) async throws -> Void

    let client: HubClient
    let path: String
    private var cursor: String?
    private var delay = ReconnectDelay()
    private var wasConnected = false

    init(client: HubClient, path: String, cursor: String?) {
        self.client = client
        self.path = path
        self.cursor = cursor
    }

    /// Puts the cursor behind the newest event of the feed, so that only what comes is shown.
    mutating func beginAtNow() async throws {
        var page = ""
        while true {
            let found = try await client.call(.GET, "/api/v1/events?limit=100" + page)
            // Test deliveries show events that never were in the feed, so they are no cursor.
            let fed = found["data"]?.array?.first { $0["source"]?.string != "test" }
            cursor = fed?["event_id"]?.string
            guard cursor == nil, let next = found["next_cursor"]?.string else { return }
            page = "&cursor=\(next)"
        }
    }

    /// Ends only by an error: one of the taker's, or one that coming back does not mend.
    mutating func run(_ take: Taker) async throws {
        while true {
            let reason: String
            var asked: Duration?
            do {
                try await follow(take)
                reason = "the hub ended the stream"
            } catch let refused as HubClient.Refused {
                guard wasConnected, refused.isPassing else { throw Self.told(refused, cursor) }
                reason = refused.description
                asked = refused.retryAfter
            } catch let unreachable as HubClient.Unreachable {
                guard wasConnected else { throw unreachable }
                reason = unreachable.description
            }
            let wait = delay.wait(chance: .random(in: 0...1), asked: asked)
            let place = cursor.map { " behind \($0)" } ?? ""
            try show("\(reason); again\(place) in \(wait.wholeMilliseconds) ms\n")
            try await Task.sleep(for: wait)
        }
    }

    private mutating func follow(_ take: Taker) async throws {
        let headers = cursor.map { [("Last-Event-ID", $0)] } ?? []
        let response = try await client.stream(path, headers: headers)
        if !wasConnected { try show("listening; Ctrl-C ends it\n") }
        wasConnected = true
        var reader = ServerSentEvents()
        var pieces = response.body.makeAsyncIterator()
        while let piece = try await client.naming({ try await pieces.next() }) {
            delay.succeeded()
            for item in try reader.take(piece.readableBytesView) {
                if let data = item.data { try await take(try JSONValue(parsing: Array(data.utf8))) }
                // Only now: an event that was not taken is to come again.
                if let id = item.id, !id.isEmpty { cursor = id }
            }
        }
    }

    /// An expired cursor in words that say what to do.
    private static func told(_ refused: HubClient.Refused, _ cursor: String?) -> any Error {
        guard refused.status == 410 else { return refused }
        let oldest = refused.body["oldest"]?.string.map { "; the oldest event still held is \($0): --since \($0)" }
        return HubClient.Refused(
            "the cursor \(cursor ?? "") has expired, so events behind it are gone\(oldest ?? "")"
                + "; without --since it begins at now", status: 410)
    }
}
