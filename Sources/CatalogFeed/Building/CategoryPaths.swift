import Commerce
import Events
import Kernel
import Storage

/// Places in the tree of categories by the names that lead to them, as the feed shows products that have no word of
/// their own for what they are.
enum CategoryPaths {
    /// Stands between the names, as search engines and marketplaces write theirs.
    private static let separator = " > "

    /// The names from the top down to each of some places.
    static func fetch(
        _ places: Set<CategoryID>, in transaction: any Transaction
    ) throws -> [CategoryID: String] {
        if places.isEmpty { return [:] }
        let rows = RowBatch(wanted: places.sorted())
        var names: [CategoryID: [String]] = [:]
        try transaction.run(
            Statement(
                composed: """
                    WITH RECURSIVE above (place, name, parent_id, height) AS (
                        SELECT c.id, c.name, c.parent_id, 1 FROM {rows} r JOIN category c ON c.id = r.wanted
                        UNION ALL
                        SELECT a.place, c.name, c.parent_id, a.height + 1
                        FROM above a JOIN category c ON c.id = a.parent_id
                        WHERE a.height < \(Limits.categoryDepth))
                    SELECT place, name FROM above ORDER BY place, height DESC
                    """), [], rows: rows
        ) { row in names[row.id(0), default: []].append(row.text(1)) }
        return names.mapValues { $0.joined(separator: separator) }
    }

    /// The place that a path names; nil where there is none.
    static func place(_ path: String, _ scope: Scope, in transaction: any Transaction) throws -> CategoryID? {
        var place: CategoryID?
        for name in path.split(separator: separator) {
            var arguments: [SQLValue] = [.id(scope.tenant), .id(scope.organisation), .text(String(name))]
            if let place { arguments.append(.id(place)) }
            let found: CategoryID? = try transaction.first(
                Statement(
                    composed: """
                        SELECT id FROM category WHERE tenant_id = $1 AND org_id = $2 AND name = $3
                            AND \(place == nil ? "parent_id IS NULL" : "parent_id = $4")
                        """), arguments
            ) { $0.id(0) }
            guard let found else { return nil }
            place = found
        }
        return place
    }
}
