import Kernel
import Synchronization

/// Filters by their text, so that a fan-out does not read one anew for each event.
final class FilterCache: Sendable {
    /// Twice as many as forty full tenants have.
    private static let filtersMost = 2000

    private let filters = Mutex<[String: EventFilter]>([:])

    func filter(_ text: String) throws -> EventFilter {
        if let known = filters.withLock({ $0[text] }) { return known }
        let filter = try EventFilter(stored: text)
        filters.withLock { filters in
            if filters.count >= Self.filtersMost { filters.removeAll() }
            filters[text] = filter
        }
        return filter
    }
}
