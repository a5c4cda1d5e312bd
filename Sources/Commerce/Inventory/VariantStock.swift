import Events
import Kernel
import Storage

/// What all locations of a variant have together, less what orders claim.
package struct VariantStock: Sendable {
    let scope: Scope
    let product: ProductID
    package let variant: VariantID
    /// Below zero it is oversold.
    package let available: Int64

    /// The stock of those of the variants that somebody ever counted.
    package static func counted(
        of variants: [VariantID], in transaction: any Transaction
    ) throws -> Asked<VariantStock> {
        let rows = RowBatch(wanted: variants)
        return try transaction.ask(
            """
            SELECT v.tenant_id, v.org_id, v.product_id, v.id, CAST(SUM(l.on_hand - l.reserved) AS {int})
            FROM {rows} r JOIN variant v ON v.id = r.wanted
                JOIN inventory_level l ON l.tenant_id = v.tenant_id AND l.variant_id = v.id
            GROUP BY v.tenant_id, v.org_id, v.product_id, v.id HAVING MAX(l.is_counted) = 1
            """, rows: rows
        ) {
            VariantStock(
                scope: Scope(tenant: $0.id(0), organisation: $0.id(1)), product: $0.id(2), variant: $0.id(3),
                available: $0.int(4))
        }
    }
}
