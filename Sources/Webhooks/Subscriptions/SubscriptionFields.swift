import Events
import HTTPTypes
import Kernel
import Signing

/// How each field of a subscription is read and judged, for new ones and for changes alike.
enum SubscriptionFields {
    /// Patterns of one subscription: more than there are types.
    private static let patternsMost = 100
    private static let headersMost = 20
    /// Deliveries a second that a limit may be set to; more is no limit.
    private static let rateMost: Int64 = 10_000

    static func url(_ fields: FieldReader, _ policy: EgressPolicy) -> String {
        let text = fields.requiredString("url", upTo: 2048)
        if text.isEmpty { return text }
        do throws(EgressRefusal) { _ = try policy.judge(url: text) } catch {
            fields.fault("url", error.description)
        }
        return text
    }

    static func patterns(_ fields: FieldReader, _ names: EventNames) -> [EventPattern] {
        guard let items = fields.value("event_types")?.array, !items.isEmpty else {
            fields.fault("event_types", "must be a list of at least one event type or pattern")
            return []
        }
        // This tells of elements that are no texts and of a list that is too long.
        guard fields.strings("event_types", upTo: patternsMost) != nil else { return [] }
        return items.enumerated().compactMap { index, item in
            guard let text = item.string else { return nil }
            if let pattern = EventPattern(text, among: names) { return pattern }
            fields.fault(at: ["event_types", String(index)], names.refusal(of: text))
            return nil
        }
    }

    /// Nil when none is named.
    static func profile(_ fields: FieldReader) -> String? {
        guard let name = fields.string("profile") else { return nil }
        if ProfileCatalog.profile(named: name) == nil {
            fields.fault("profile", "must be one of \(ProfileCatalog.all.map(\.name).joined(separator: ", "))")
        }
        return name
    }

    static func retry(_ fields: FieldReader) -> RetryOverride? { fields.object("retry") { RetryOverride($0) } }

    static func rateLimit(_ fields: FieldReader) -> Int? {
        fields.integer("rate_limit", in: 1...rateMost).map { Int($0) }
    }

    static func maxInFlight(_ fields: FieldReader) -> Int? {
        fields.integer("max_in_flight", in: 1...Int64(EndpointQueue.windowMost)).map { Int($0) }
    }

    static func filter(_ fields: FieldReader) -> EventFilter? {
        guard let value = fields.value("filter") else { return nil }
        do throws(FilterFaults) { return try EventFilter.read(value) } catch {
            for fault in error.faults.prefix(20) { fields.fault(at: ["filter"] + fault.path, fault.detail) }
            return nil
        }
    }

    // MARK: Headers

    /// A header as it was written; without a value when that is the mask that headers are shown with.
    struct GivenHeader: Sendable {
        let name: String
        let given: Subscription.Header?
    }

    /// - Parameter mask: whether the mask may stand for the value that a header has already.
    static func headers(_ fields: FieldReader, mask: Bool) -> [GivenHeader]? {
        guard let object = fields.value("headers") else { return nil }
        guard let members = object.object?.members, members.count <= headersMost else {
            fields.fault("headers", "must be an object of at most \(headersMost) header names and texts")
            return nil
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
            let isMask = value == Secret("").description
            if isMask, !mask {
                fields.fault(at: ["headers", member.name], "has the mask for a value, and there was none before")
            }
            return GivenHeader(
                name: name.rawName, given: isMask ? nil : Subscription.Header(name: name.rawName, value: Secret(value)))
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
        ]
        let own = ProfileCatalog.all.compactMap { $0.signature?.header.canonicalName }
        return exactly.contains(name) || own.contains(name) || name.hasPrefix("webhook-")
    }
}
