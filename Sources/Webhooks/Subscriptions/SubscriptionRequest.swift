import Events
import HTTPTypes
import Kernel

/// What a caller asks for when it subscribes, read from a body and checked field by field.
package struct SubscriptionRequest: Sendable {
    package let url: String
    package let patterns: [EventPattern]
    package let profile: String
    package let secret: Secret?
    package let headers: [Subscription.Header]
    package let description: String?

    /// Shortest secret that a caller may bring; guessing 16 characters is out of reach.
    package static let secretCharacters = 16
    private static let headersMost = 20

    /// - Parameter names: the event types that the caller's tenant may ask for.
    package init(_ fields: FieldReader, policy: EgressPolicy, names: EventNames = .catalogue) {
        url = SubscriptionRequest.url(fields, policy)
        patterns = SubscriptionRequest.patterns(fields, names)
        profile = fields.string("profile") ?? ProfileCatalog.usual.name
        if ProfileCatalog.profile(named: profile) == nil {
            fields.fault(
                "profile", "must be one of \(ProfileCatalog.all.map(\.name).joined(separator: ", "))")
        }
        if let mode = fields.string("payload_mode"), mode != "full" {
            fields.fault("payload_mode", "must be full")
        }
        let text = fields.string("secret", upTo: 512)
        if let text, text.unicodeScalars.count < Self.secretCharacters {
            fields.fault("secret", "must have at least \(Self.secretCharacters) characters")
        }
        secret = text.map { Secret($0) }
        headers = SubscriptionRequest.headers(fields)
        description = fields.string("description", upTo: 500)
    }

    private static func url(_ fields: FieldReader, _ policy: EgressPolicy) -> String {
        let text = fields.requiredString("url", upTo: 2048)
        if text.isEmpty { return text }
        do throws(EgressRefusal) { _ = try policy.judge(url: text) } catch {
            fields.fault("url", error.description)
        }
        return text
    }

    private static func patterns(_ fields: FieldReader, _ names: EventNames) -> [EventPattern] {
        guard let items = fields.value("event_types")?.array, !items.isEmpty else {
            fields.fault("event_types", "must be a list of at least one event type or pattern")
            return []
        }
        // This tells of elements that are no texts and of a list that is too long.
        guard fields.strings("event_types", upTo: 100) != nil else { return [] }
        return items.enumerated().compactMap { index, item in
            guard let text = item.string else { return nil }
            if let pattern = EventPattern(text, among: names) { return pattern }
            let nearest = names.nearest(to: text)
            fields.fault(
                at: ["event_types", String(index)],
                "\"\(text.prefix(80))\" matches no event type; the nearest is \(nearest)")
            return nil
        }
    }

    private static func headers(_ fields: FieldReader) -> [Subscription.Header] {
        guard let object = fields.value("headers") else { return [] }
        guard let members = object.object?.members, members.count <= headersMost else {
            fields.fault("headers", "must be an object of at most \(headersMost) header names and texts")
            return []
        }
        var names: Set<String> = []
        return members.compactMap { member in
            guard member.name.utf8.count <= 256, let name = HTTPField.Name(member.name),
                !isReserved(name.canonicalName)
            else {
                fields.fault(at: ["headers", member.name], "is no header that a subscriber may set")
                return nil
            }
            guard names.insert(name.canonicalName).inserted else {
                fields.fault(at: ["headers", member.name], "stands twice: the case of a header's name does not count")
                return nil
            }
            guard let value = member.value.string, isHeaderValue(value) else {
                fields.fault(at: ["headers", member.name], "must be a text of printable ASCII, up to 2048 characters")
                return nil
            }
            return Subscription.Header(name: name.rawName, value: Secret(value))
        }
    }

    /// Printable ASCII with inner blanks (RFC 9110, 5.5): anything else would make each delivery fail, or arrive as
    /// something else.
    private static func isHeaderValue(_ text: String) -> Bool {
        let bytes = text.utf8
        return bytes.count <= 2048 && bytes.allSatisfy { (0x20...0x7E).contains($0) }
            && bytes.first != 0x20 && bytes.last != 0x20
    }

    /// Names that belong to the transport or carry our signatures.
    private static func isReserved(_ name: String) -> Bool {
        let exactly: Set<String> = [
            "host", "connection", "content-length", "content-type", "content-encoding", "transfer-encoding", "te",
            "trailer", "upgrade", "expect", "keep-alive", "proxy-authorization", "proxy-connection", "user-agent",
            "synq-signature", "x-webhook-signature", "x-storelink-signature",
        ]
        return exactly.contains(name) || name.hasPrefix("webhook-")
    }
}
