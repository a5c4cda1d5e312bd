import Events
import Kernel
import Storage

extension CatalogueChanges {
    /// Products that are counted at once: a category may have hundreds of thousands.
    private static let stepRows = 1000

    /// Counts a change of each active product that is shown by the names of a category or of one below it, because it
    /// has no word of its own. Call it last in a transaction, as `count`.
    static func countPlaced(
        below id: CategoryID, scope: Scope, now: Timestamp, in transaction: any Transaction
    ) throws {
        // Holds the counter's row to the end of the transaction. Who activates a product meanwhile has committed by
        // then and is seen by what is read next, or waits there, and is shown with what this transaction writes.
        try count([scope: []], now: now, in: transaction)
        for place in try CategoryStore.subtree(id, scope: scope, in: transaction) {
            var last = ProductID.zero
            while true {
                let products = try transaction.all(
                    """
                    SELECT id FROM product
                    WHERE category_id = $1 AND id > $2 AND category IS NULL AND status = 'active'
                        AND deleted_at IS NULL
                    ORDER BY id LIMIT $3
                    """, [.id(place), .id(last), .int(stepRows)]
                ) { $0.id(0, of: Product.self) }
                if products.isEmpty { break }
                try count([scope: products], now: now, in: transaction)
                guard products.count == stepRows, let newest = products.last else { break }
                last = newest
            }
        }
    }
}
