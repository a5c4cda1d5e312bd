import Events
import Kernel

/// Asks the filters about the events of one transaction.
///
/// A payload is read once, however many subscriptions ask, and not at all where none does.
struct FilterGate {
    /// Why a delivery of a refused event is born skipped.
    static let reason = "filtered"

    private let cache: FilterCache
    private var current: (event: EventID, payload: JSONValue?)?

    init(_ cache: FilterCache) {
        self.cache = cache
    }

    /// Whether the subscription takes the event.
    mutating func takes(_ event: DomainEvent, for target: SubscriptionStore.Stored) throws -> Bool {
        guard let text = target.filter else { return true }
        if current?.event != event.id {
            do throws(JSONSyntaxError) { current = (event.id, try JSONValue(parsing: event.payload)) } catch {
                // What is no JSON passes no filter.
                current = (event.id, nil)
            }
        }
        guard let payload = current?.payload else { return false }
        return try cache.filter(text).matches(payload)
    }
}
