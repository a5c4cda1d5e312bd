import Events
import Kernel
import Storage
import Synchronization

/// How others follow the catalogue: each change of a product gives it the next number of its organisation, in the same
/// transaction. Whoever builds something of the catalogue remembers up to which number it has built, and reads on.
package final class CatalogueChanges: Sendable {
    /// A product and the number of its newest change; the product may be deleted since.
    package struct Entry: Sendable, Equatable {
        package let product: ProductID
        package let sequence: Int64
        package let changedAt: Timestamp
    }

    private let bells = Mutex<[Doorbell]>([])

    package init() {}

    /// A bell that rings after each commit of this process that changed a product. Changes of other copies ring none
    /// here, so `heads` has to be asked from time to time as well.
    package func bell() -> Doorbell {
        let bell = Doorbell()
        bells.withLock { $0.append(bell) }
        return bell
    }

    func ring() {
        for bell in bells.withLock({ $0 }) { bell.ring() }
    }

    // MARK: Reading

    /// The newest number of each organisation whose catalogue ever changed.
    package static func heads(in transaction: any Transaction) throws -> [(scope: Scope, sequence: Int64)] {
        try transaction.all("SELECT tenant_id, org_id, sequence FROM catalogue_head ORDER BY tenant_id, org_id") {
            (Scope(tenant: $0.id(0), organisation: $0.id(1)), $0.int(2))
        }
    }

    /// The newest number of one organisation; zero before its first product.
    package static func head(of scope: Scope, in transaction: any Transaction) throws -> Int64 {
        try transaction.first(
            "SELECT sequence FROM catalogue_head WHERE tenant_id = $1 AND org_id = $2",
            [.id(scope.tenant), .id(scope.organisation)]
        ) { $0.int(0) } ?? 0
    }

    /// Products that changed behind a number, in the order of their newest changes, each once.
    package static func entries(
        after sequence: Int64, scope: Scope, limit: Int, in transaction: any Transaction
    ) throws -> [Entry] {
        try transaction.all(
            """
            SELECT product_id, sequence, changed_at FROM catalogue_change
            WHERE tenant_id = $1 AND org_id = $2 AND sequence > $3 ORDER BY sequence LIMIT $4
            """, [.id(scope.tenant), .id(scope.organisation), .int(sequence), .int(limit)]
        ) { Entry(product: $0.id(0), sequence: $0.int(1), changedAt: $0.time(2)) }
    }

    // MARK: Counting

    /// Gives each product the next number of its organisation. Call it last in a transaction: the counter's row stays
    /// locked to its end, which is what makes numbers visible in their order.
    package static func count(
        _ products: [Scope: [ProductID]], now: Timestamp, in transaction: any Transaction
    ) throws {
        var steps = RowBatch(["tenant_id": .uuid, "org_id": .uuid, "step": .int])
        // In one order everywhere, so that two transactions never wait for each other.
        for (scope, ids) in products.sorted(by: {
            ($0.key.tenant, $0.key.organisation) < ($1.key.tenant, $1.key.organisation)
        }) {
            steps.append(.id(scope.tenant), .id(scope.organisation), .int(ids.count))
        }
        let heads = try transaction.all(
            """
            INSERT INTO catalogue_head (tenant_id, org_id, sequence)
            SELECT tenant_id, org_id, step FROM {rows} r WHERE true
            ON CONFLICT (tenant_id, org_id) DO UPDATE SET sequence = catalogue_head.sequence + excluded.sequence
            RETURNING tenant_id, org_id, sequence
            """, rows: steps
        ) { (Scope(tenant: $0.id(0), organisation: $0.id(1)), $0.int(2)) }
        var rows = RowBatch(["tenant_id": .uuid, "org_id": .uuid, "product_id": .uuid, "sequence": .int])
        for (scope, head) in heads {
            let ids = products[scope] ?? []
            for (index, id) in ids.enumerated() {
                rows.append(
                    .id(scope.tenant), .id(scope.organisation), .id(id), .int(head - Int64(ids.count - index - 1)))
            }
        }
        try transaction.execute(
            """
            INSERT INTO catalogue_change (tenant_id, org_id, product_id, sequence, changed_at)
            SELECT tenant_id, org_id, product_id, sequence, $1 FROM {rows} r WHERE true
            ON CONFLICT (tenant_id, org_id, product_id)
                DO UPDATE SET sequence = excluded.sequence, changed_at = excluded.changed_at
            """, [.time(now)], rows: rows)
    }
}
