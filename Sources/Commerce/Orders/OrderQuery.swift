import Events
import Kernel
import Storage

/// Which orders a list is asked for.
package struct OrderQuery: Sendable {
    package var after: OrderID?
    package var limit: Int
    package var status: OrderStatus?
    package var channel: String?
    /// Only orders that changed at or after this instant.
    package var since: Timestamp?
    package var match: Order.MatchStatus?
    package var externalID: String?
    package var tag: String?
    /// A source's id, a number, or a whole e-mail address, whose case does not count.
    package var search: String?
    /// Our customer.
    package var customer: CustomerID?

    package init(limit: Int) { self.limit = limit }

    /// The condition and its arguments, for a statement that calls the table `o`.
    func condition(_ scope: Scope) -> (text: String, arguments: [SQLValue]) {
        var filter = Filter(
            "o.tenant_id = $1 AND o.org_id = $2 AND o.id > $3",
            [.id(scope.tenant), .id(scope.organisation), .id(after ?? .zero)])
        filter.narrow("o.status = $n", status.map { .text($0.rawValue) })
        filter.narrow("o.channel = $n", channel.map { .text($0) })
        filter.narrow("o.updated_at >= $n", since.map { .time($0) })
        filter.narrow("o.match_status = $n", match.map { .text($0.rawValue) })
        filter.narrow("o.external_id = $n", externalID.map { .text($0) })
        filter.narrow("o.customer_id = $n", customer.map { .id($0) })
        filter.narrow(
            "o.id IN (SELECT t.order_id FROM order_tag t WHERE t.tenant_id = $1 AND t.tag = $n)",
            tag.map { .text($0) })
        filter.narrow(
            "(o.external_id = $n OR o.number = $n OR lower(o.customer_email) = lower($n))",
            search.map { .text($0) })
        return ("\(filter.condition) ORDER BY o.id LIMIT \(limit)", filter.arguments)
    }
}
