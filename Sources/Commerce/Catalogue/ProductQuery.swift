import Events
import Kernel
import Storage

/// Which products a list is asked for, and where its next page begins.
package struct ProductQuery: Sendable {
    /// The place of a page: behind a product, by the order of ids (in which products were made), or, for a list of what
    /// changed, by the time of the change and then the id.
    package enum Cursor: Sendable, Equatable, CustomStringConvertible {
        case after(ProductID)
        case afterChange(Timestamp, ProductID)

        package init?(_ text: String) {
            if let id = ProductID(text) {
                self = .after(id)
                return
            }
            let parts = text.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let time = Int64(parts[0]), let id = ProductID(parts[1]) else { return nil }
            self = .afterChange(Timestamp(milliseconds: time), id)
        }

        package var description: String {
            switch self {
            case .after(let id): id.description
            case .afterChange(let time, let id): "\(time.milliseconds)_\(id)"
            }
        }
    }

    /// Words that a product must have, all of them; the last may stand for all that begin with it (`shir*`).
    package var text: String?
    package var sku: String?
    package var barcode: String?
    package var status: Product.Status?
    package var brand: String?
    /// The caller's own word, or a place in the tree with all below it.
    package var category: String?
    /// A place whose own products are found beside those of `category`, as far as they have no word of their own: the
    /// feed shows both by one text.
    package var categoryPlace: CategoryID?
    package var categoryID: CategoryID?
    /// Only what changed at or after this instant; the list is then in the order of changes.
    package var updatedSince: Timestamp?
    package var cursor: Cursor?
    package var limit: Int

    package init(limit: Int) { self.limit = limit }

    /// The cursor that follows a row of this list.
    package func cursor(behind product: Product) -> Cursor {
        updatedSince == nil ? .after(product.id) : .afterChange(product.updatedAt, product.id)
    }

    /// Words that stand for one that ends with `*`; more are not looked at.
    private static let expansion = 16
    /// Places of a tree that are read one by one, each in the order of ids; from more the rows are sorted.
    private static let places = 64

    func run(scope: Scope, in transaction: any Transaction) throws -> [Product] {
        var builder = Builder(scope: scope, query: self)
        var ranges: [Range] = [.all]
        if let text {
            guard let words = try words(of: text, scope: scope, in: transaction) else { return [] }
            for word in words.required.dropFirst(words.alternatives.isEmpty ? 1 : 0) { builder.requireWord(word) }
            ranges = (words.alternatives.isEmpty ? Array(words.required.prefix(1)) : words.alternatives).map(Range.word)
        }
        if let category, let categoryPlace {
            if ranges == [.all] {
                ranges = [.named(category), .unnamed(categoryPlace)]
            } else {
                builder.require(category, orIn: categoryPlace)
            }
        }
        if let categoryID {
            let places = try CategoryStore.subtree(categoryID, scope: scope, in: transaction)
            if places.isEmpty { return [] }
            if ranges == [.all], places.count <= Self.places {
                ranges = places.map(Range.place)
            } else {
                builder.requirePlaces(below: categoryID)
            }
        }
        return try ProductStore.products(builder.statement(over: ranges), builder.arguments, in: transaction)
    }

    /// The words to be found: those that all must be there, and those of which one must. Nil when there can be none.
    private func words(
        of text: String, scope: Scope, in transaction: any Transaction
    ) throws -> (required: [String], alternatives: [String])? {
        var words = SearchWords.list(text)
        guard text.trimmed.hasSuffix("*"), let start = words.popLast() else {
            return words.isEmpty ? nil : (words, [])
        }
        let found = try ProductWordStore.words(
            beginningWith: start, scope: scope, limit: Self.expansion, in: transaction)
        return found.isEmpty ? nil : (words, found)
    }
}

extension ProductQuery {
    /// A run of an index in which products stand in the order of their ids.
    fileprivate enum Range: Equatable {
        case all
        case word(String)
        case place(CategoryID)
        case named(String)
        /// A place's products that have no word of their own.
        case unnamed(CategoryID)
    }

    /// Puts the statement together. Only fragments of code go into it; what callers wrote are arguments.
    fileprivate struct Builder {
        private(set) var arguments: [SQLValue]
        private var conditions = ""
        private let query: ProductQuery

        init(scope: Scope, query: ProductQuery) {
            self.query = query
            arguments = [.id(scope.tenant), .id(scope.organisation)]
            narrow("p.status = ", query.status.map { .text($0.rawValue) })
            narrow("p.brand = ", query.brand.map { .text($0) })
            let category = query.categoryPlace == nil ? query.category : nil
            narrow("p.category = ", category.map { .text($0) })
            narrow("p.updated_at >= ", query.updatedSince.map { .time($0) })
            for (column, value) in [("sku", query.sku), ("barcode", query.barcode)] {
                guard let value else { continue }
                let argument = add(.text(value))
                conditions += """
                     AND p.id IN (SELECT v.product_id FROM variant v
                        WHERE v.tenant_id = $1 AND v.\(column) = \(argument) AND v.deleted_at IS NULL)
                    """
            }
            switch query.cursor {
            case .after(let id): narrow("p.id > ", .id(id))
            case .afterChange(let time, let id):
                conditions += " AND (p.updated_at, p.id) > (\(add(.time(time))), \(add(.id(id))))"
            case nil: break
            }
        }

        mutating func requireWord(_ word: String) {
            conditions += """
                 AND EXISTS (SELECT 1 FROM product_word x
                    WHERE x.tenant_id = $1 AND x.org_id = $2 AND x.word = \(add(.text(word))) AND x.product_id = p.id)
                """
        }

        mutating func require(_ category: String, orIn place: CategoryID) {
            conditions += """
                 AND (p.category = \(add(.text(category)))
                    OR p.category IS NULL AND p.category_id = \(add(.id(place))))
                """
        }

        mutating func requirePlaces(below category: CategoryID) {
            conditions += """
                 AND p.category_id IN (
                    WITH RECURSIVE below (id) AS (
                        SELECT c.id FROM category c WHERE c.id = \(add(.id(category)))
                        UNION SELECT c.id FROM category c JOIN below b ON c.parent_id = b.id)
                    SELECT id FROM below)
                """
        }

        /// One range is read as it stands. Several are read each up to a page and put in order together, so that a
        /// page costs the same however many rows the ranges have.
        mutating func statement(over ranges: [Range]) -> Statement {
            let order = query.updatedSince == nil ? "p.id" : "p.updated_at, p.id"
            let limit = add(.int(query.limit))
            let parts = ranges.map { range in
                let (source, condition) = source(of: range)
                // The column of the index that is walked, not its equal: SQLite would sort.
                let walked = if case .word = range, query.updatedSince == nil { "w.product_id" } else { order }
                return "FROM \(source) WHERE \(condition) AND p.tenant_id = $1 AND p.org_id = $2"
                    + " AND p.deleted_at IS NULL\(conditions) ORDER BY \(walked) LIMIT \(limit)"
            }
            if parts.count == 1 { return Statement(composed: "SELECT \(ProductStore.columns) \(parts[0])") }
            let found = parts.enumerated().map { "SELECT id FROM (SELECT p.id \($0.element)) f\($0.offset)" }
            return Statement(
                composed: """
                    SELECT \(ProductStore.columns) FROM product p
                    WHERE p.id IN (\(found.joined(separator: " UNION "))) ORDER BY \(order) LIMIT \(limit)
                    """)
        }

        private mutating func source(of range: Range) -> (source: String, condition: String) {
            switch range {
            case .all: return ("product p", "true")
            case .place(let category): return ("product p", "p.category_id = \(add(.id(category)))")
            case .named(let word): return ("product p", "p.category = \(add(.text(word)))")
            case .unnamed(let category):
                return ("product p", "p.category_id = \(add(.id(category))) AND p.category IS NULL")
            case .word(let word):
                let condition = "w.tenant_id = $1 AND w.org_id = $2 AND w.word = \(add(.text(word)))"
                // The cursor again, on the index that is walked.
                guard case .after(let id) = query.cursor else {
                    return ("product_word w JOIN product p ON p.id = w.product_id", condition)
                }
                return (
                    "product_word w JOIN product p ON p.id = w.product_id",
                    condition + " AND w.product_id > \(add(.id(id)))"
                )
            }
        }

        private mutating func narrow(_ comparison: String, _ value: SQLValue?) {
            guard let value else { return }
            conditions += " AND \(comparison)\(add(value))"
        }

        private mutating func add(_ value: SQLValue) -> String {
            arguments.append(value)
            return "$\(arguments.count)"
        }
    }
}
