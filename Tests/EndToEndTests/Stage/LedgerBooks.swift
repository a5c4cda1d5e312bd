/// The books of a run in which servers were killed, and what is wrong with them. Pure, so that a test can show it
/// books that are broken.
struct LedgerBooks {
    /// The source's ids of what was answered with 200.
    var acknowledged: Set<String>
    /// Our ids of orders by the source's.
    var orders: [String: [String]]
    /// The source's ids of orders whose delivery came in, as often as it did.
    var delivered: [String]
    /// The feed as it is in the end: ids, and the order for which `order.created` stands there.
    var feed: [(id: String, created: String?)]
    /// The ids of the feed as they were read during the blows.
    var seen: [String]

    /// A sentence for each way in which the promise was broken; none when it was kept.
    func faults() -> [String] {
        var faults: [String] = []
        func check(_ broken: some Collection<String>, _ sentence: String) {
            if !broken.isEmpty { faults.append("\(sentence): \(broken.sorted().prefix(5).joined(separator: " "))") }
        }
        check(acknowledged.filter { orders[$0] == nil }, "acknowledged and without an order")
        check(orders.filter { $0.value.count != 1 }.keys, "an order exists twice")
        check(Set(orders.keys).subtracting(delivered), "an order was never delivered")
        let created = feed.compactMap(\.created)
        check(Self.repeated(created), "an order is in the feed twice")
        check(Set(orders.values.joined()).subtracting(created), "an order is not in the feed")
        check(Set(created).subtracting(orders.values.joined()), "the feed tells of an order that is not there")
        check(Self.repeated(feed.map(\.id)), "an event is in the feed twice")
        if Array(feed.map(\.id).prefix(seen.count)) != seen { faults.append("the feed changed between two readings") }
        return faults
    }

    private static func repeated(_ ids: [String]) -> [String] {
        Dictionary(grouping: ids) { $0 }.filter { $0.value.count > 1 }.map(\.key)
    }
}
