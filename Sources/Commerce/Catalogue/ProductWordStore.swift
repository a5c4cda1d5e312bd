import Events
import Kernel
import Storage

/// The rows by which the text search finds products.
enum ProductWordStore {
    static var rows: RowBatch { RowBatch(["word": .text, "product_id": .uuid, "tenant_id": .uuid, "org_id": .uuid]) }

    static func append(_ word: String, _ product: ProductID, _ scope: Scope, to rows: inout RowBatch) {
        rows.append(.text(word), .id(product), .id(scope.tenant), .id(scope.organisation))
    }

    static func insert(_ rows: RowBatch, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO product_word (tenant_id, org_id, word, product_id)
            SELECT tenant_id, org_id, word, product_id FROM {rows} r
            """, rows: rows)
    }

    static func remove(_ rows: RowBatch, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM product_word WHERE (tenant_id, org_id, word, product_id)
                IN (SELECT tenant_id, org_id, word, product_id FROM {rows} r)
            """, rows: rows)
    }

    /// The known words that begin with a text, in alphabetical order, found by as many steps through the index.
    static func words(
        beginningWith start: String, scope: Scope, limit: Int, in transaction: any Transaction
    ) throws -> [String] {
        var words: [String] = []
        var last = start
        while words.count < limit {
            // The first step may find the text itself, the later ones look behind what was found.
            let next = try transaction.first(
                words.isEmpty
                    ? """
                    SELECT word FROM product_word WHERE tenant_id = $1 AND org_id = $2 AND word >= $3
                    ORDER BY word LIMIT 1
                    """
                    : """
                    SELECT word FROM product_word WHERE tenant_id = $1 AND org_id = $2 AND word > $3
                    ORDER BY word LIMIT 1
                    """, [.id(scope.tenant), .id(scope.organisation), .text(last)]
            ) { $0.text(0) }
            guard let next, next.utf8.starts(with: start.utf8) else { break }
            words.append(next)
            last = next
        }
        return words
    }
}
