import Events
import Kernel

/// Past events of an organisation, sent once more to one subscription.
package struct Replay: Sendable {
    /// Which of the events in the time are sent.
    package enum Selection: String, Sendable, CaseIterable {
        /// Every one that the subscription asks for.
        case all
        /// Those that were tried and never taken.
        case failed
        /// Those that were never tried: nobody had subscribed, or the subscription was disabled.
        case missed
    }

    package enum State: String, Sendable, CaseIterable {
        case running
        case paused
        /// All deliveries are written; what becomes of them, they tell.
        case completed
        case cancelled

        /// Whether a caller may ask for the move; asking for the state that it has changes nothing and is allowed.
        func canMove(to next: State) -> Bool {
            switch (self, next) {
            case (.running, .paused), (.running, .cancelled), (.paused, .running), (.paused, .cancelled): true
            default: self == next
            }
        }
    }

    package let id: ReplayID
    package let scope: Scope
    package let subscription: SubscriptionID
    package let since: Timestamp
    package let until: Timestamp
    package internal(set) var patterns: [EventPattern]
    package let selection: Selection
    /// Deliveries a second; nil for as many as the endpoint takes.
    package let rate: Int?
    package let state: State
    /// Why it is paused or cancelled, where nobody asked for that.
    package let reason: String?
    /// Events that were counted when it began.
    package internal(set) var total: Int
    /// Deliveries written so far.
    package let queued: Int
    let lastPosition: Int64
    let endPosition: Int64
    let pacedUntil: Timestamp
    package let requestedBy: UserID
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    package let finishedAt: Timestamp?
    /// From which of its deliveries on some may be of events behind its last position.
    let unsureFrom: DeliveryID?
}

/// What a caller asks to be replayed.
package struct ReplayRequest: Sendable {
    package let subscription: SubscriptionID
    package let since: Timestamp
    package let until: Timestamp?
    package let patterns: [EventPattern]
    package let selection: Replay.Selection
    package let rate: Int?
    /// Asks only how many events that would be.
    package let isDryRun: Bool

    package init(_ fields: FieldReader) {
        subscription = ReplayRequest.id(fields)
        since = ReplayRequest.time("since", fields, isRequired: true) ?? .never
        until = ReplayRequest.time("until", fields, isRequired: false)
        if let until, until <= since { fields.fault("until", "must be after since") }
        patterns = ReplayRequest.patterns(fields)
        selection = fields.choice("only") ?? .all
        rate = fields.integer("rate", in: 1...10_000).map(Int.init)
        isDryRun = fields.bool("dry_run") ?? false
    }

    private static func id(_ fields: FieldReader) -> SubscriptionID {
        if fields.value("subscription_id") == nil { fields.fault("subscription_id", "is required") }
        return fields.id("subscription_id") ?? .zero
    }

    private static func time(_ name: String, _ fields: FieldReader, isRequired: Bool) -> Timestamp? {
        guard let text = fields.string(name, upTo: 60) else {
            if isRequired, fields.value(name) == nil { fields.fault(name, "is required") }
            return nil
        }
        let time = Timestamp(text)
        if time == nil { fields.fault(name, "must be a time of RFC 3339") }
        return time
    }

    private static func patterns(_ fields: FieldReader) -> [EventPattern] {
        (fields.strings("event_types", upTo: 100) ?? []).enumerated().compactMap { index, text in
            // A type that is gone from the catalogue may still have events.
            let pattern = EventPattern(stored: text)
            if pattern == nil {
                fields.fault(at: ["event_types", String(index)], "must be a type, a pattern such as order.*, or *")
            }
            return pattern
        }
    }
}
