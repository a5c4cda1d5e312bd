import Events
import Kernel
import Storage

/// Which customers a list is asked for. Pages follow each other by the order of ids, in which customers were made.
package struct CustomerQuery: Sendable {
    /// Words of a customer's names, all of them; the last may stand for all that begin with it (`ann*`).
    package var text: String?
    /// The whole address, in either case.
    package var email: String?
    package var kind: Customer.Kind?
    package var status: Customer.Status?
    package var assignedTo: UserID?
    package var updatedSince: Timestamp?
    package var after: CustomerID?
    package var limit: Int

    package init(limit: Int) { self.limit = limit }

    func run(scope: Scope, in transaction: any Transaction) throws -> [Customer] {
        var arguments: [SQLValue] = [.id(scope.tenant), .id(scope.organisation)]
        var condition = "c.tenant_id = $1 AND c.org_id = $2 AND c.deleted_at IS NULL"
        func add(_ value: SQLValue) -> String {
            arguments.append(value)
            return "$\(arguments.count)"
        }
        func narrow(_ comparison: String, _ value: SQLValue?) {
            if let value { condition += " AND \(comparison) \(add(value))" }
        }
        narrow("c.id >", after.map { .id($0) })
        // While its erasure goes on a customer still has the key, for imports alone.
        narrow("c.erased_at IS NULL AND c.email_key =", email.map { .text($0.trimmed.lowercased()) })
        narrow("c.kind =", kind.map { .text($0.rawValue) })
        narrow("c.status =", status.map { .text($0.rawValue) })
        narrow("c.assigned_to =", assignedTo.map { .id($0) })
        narrow("c.updated_at >=", updatedSince.map { .time($0) })
        var source = "customer c"
        var order = "c.id"
        if let text {
            var words = SearchWords.list(text)
            if words.isEmpty { return [] }
            if text.trimmed.hasSuffix("*"), let start = words.popLast() {
                // What begins with the word and what lies behind all of that: letters sort below U+10FFFF.
                let (low, high) = (add(.text(start)), add(.text(start + "\u{10FFFF}")))
                condition += """
                     AND c.id IN (SELECT w.customer_id FROM customer_word w
                        WHERE w.tenant_id = $1 AND w.org_id = $2 AND w.word >= \(low) AND w.word < \(high))
                    """
            }
            if let first = words.first {
                source = "customer_word f JOIN customer c ON c.id = f.customer_id"
                order = "f.customer_id"
                condition += " AND f.tenant_id = $1 AND f.org_id = $2 AND f.word = \(add(.text(first)))"
                narrow("f.customer_id >", after.map { .id($0) })
            }
            for word in words.dropFirst() {
                condition += """
                     AND EXISTS (SELECT 1 FROM customer_word x
                        WHERE x.tenant_id = $1 AND x.org_id = $2 AND x.word = \(add(.text(word)))
                            AND x.customer_id = c.id)
                    """
            }
        }
        let rest = "FROM \(source) WHERE \(condition) ORDER BY \(order) LIMIT \(add(.int(limit)))"
        return try CustomerStore.customers(rest, arguments, in: transaction)
    }
}
