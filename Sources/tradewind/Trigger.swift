import ArgumentParser
import Events
import Kernel
import NIOHTTP1

struct Trigger: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publishes a test event to a running hub, and prints its id.",
        discussion: """
            An event of one of your own types goes to the feed and to every subscription that asks for it. With \
            --subscription an example of any type goes to that subscription alone, as a signed delivery marked with \
            webhook-test; it is not in the feed. The hub's own types tell of what really happened, so they can be \
            sent in that way only.
            """)

    @Argument(help: "The event type, such as order.created.")
    var type: String

    @Option(help: "UUID of the subscription that is sent an example.")
    var subscription: String?

    @Option(help: "File with the payload, a JSON object; - is standard input. Left out, the type's example is taken.")
    var data: String?

    @Option(help: "UUID of what the event is about; left out, it is about itself.")
    var entity: String?

    @OptionGroup var options: HubOptions

    /// Only to read a UUID as one.
    private enum Subscription {}

    private static let payloadBytesMost = 16 << 20

    func run() async throws {
        let client = try options.client()
        if let subscription {
            if data != nil || entity != nil {
                throw ValidationError("--subscription sends the type's example: it takes neither --data nor --entity")
            }
            guard let id = ID<Subscription>(subscription) else {
                throw ValidationError("--subscription must be a UUID, not \"\(subscription)\"")
            }
            print(try await sendExample(to: "/api/v1/webhooks/subscriptions/\(id)", client))
        } else {
            print(try await publish(client))
        }
    }

    /// A test delivery: the hub tells the delivery, and the delivery its event.
    private func sendExample(to path: String, _ client: HubClient) async throws -> String {
        let body = JSONWriter.object { $0.field("event_type", type) }
        let delivery = try await client.post(path + "/test", body)["delivery_id"]?.string
        var cursor = ""
        while true {
            let page = try await client.call(.GET, path + "/deliveries?limit=100" + cursor)
            let found = page["data"]?.array?.first { $0["id"]?.string == delivery }
            if let event = found?["event_id"]?.string { return event }
            guard let next = page["next_cursor"]?.string else {
                throw HubClient.Refused("the hub queued the delivery \(delivery ?? "?"), and does not list it")
            }
            cursor = "&cursor=\(next)"
        }
    }

    private func publish(_ client: HubClient) async throws -> String {
        let types = try await client.call(.GET, "/api/v1/webhooks/event-types")["data"]?.array ?? []
        guard let known = types.first(where: { $0["name"]?.string == type }) else {
            let nearest = EventNames.nearest(to: type, among: types.compactMap { $0["name"]?.string }) ?? "none"
            throw ValidationError("\"\(type)\" is no event type; the nearest is \(nearest)")
        }
        guard known["own"]?.bool == true else {
            throw ValidationError(
                "\(type) tells of what happened in the hub, so it can't be published; "
                    + "--subscription ID sends an example of it to a subscription")
        }
        let payload = try payload(or: known["example"])
        let body = JSONWriter.object { writer in
            writer.field("event_type", type)
            if let entity { writer.field("entity_id", entity) }
            writer.field("payload", payload)
        }
        guard let event = try await client.post("/api/v1/events", body)["event_id"]?.string else {
            throw HubClient.Refused("the hub took the event and did not say its id")
        }
        return event
    }

    private func payload(or example: JSONValue?) throws -> JSONValue {
        guard let data else {
            guard let example, example.object != nil else {
                throw ValidationError("\(type) has no example to send: give its payload with --data")
            }
            return example
        }
        let bytes = try StreamedFile.contents(of: data, upTo: Self.payloadBytesMost)
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw ValidationError("\(data) is not JSON: \(error)")
        }
    }
}
