import Kernel

/// Conditions that a product of a collection meets: all of them, or any.
package struct CollectionRule: Sendable, Equatable {
    package enum Match: String, Sendable, CaseIterable {
        case all
        case any
    }

    package struct Condition: Sendable, Equatable {
        package enum Field: String, Sendable, CaseIterable {
            case title
            case brand
            case category
            /// A place in the tree, with all below it.
            case place = "category_id"
            case tag
            case status
            case price
            case attribute
        }

        package enum Relation: String, Sendable, CaseIterable {
            case equals
            case differs = "not_equals"
            case contains
            case startsWith = "starts_with"
            case above = "greater_than"
            case below = "less_than"
        }

        package let field: Field
        /// The attribute's name.
        package let name: String?
        package let relation: Relation
        package let value: String
        /// What a price is compared with.
        package let money: Money?
    }

    package let match: Match
    package let conditions: [Condition]

    /// The places of the tree that conditions name. What lies below each has to be known for `matches`.
    var places: Set<CategoryID> {
        Set(conditions.filter { $0.field == .place }.compactMap { CategoryID($0.value) })
    }

    /// Whether a product belongs to the collection.
    ///
    /// - Parameter subtrees: all categories at and below each of `places`.
    func matches(_ product: Product, subtrees: [CategoryID: Set<CategoryID>]) throws -> Bool {
        let details = try product.details
        func holds(_ condition: Condition) -> Bool { condition.holds(product, details, subtrees) }
        return match == .all ? conditions.allSatisfy(holds) : conditions.contains(where: holds)
    }

    /// The list of products that the store should be asked for: as narrow as its indexes allow, never too narrow.
    func query(limit: Int) -> ProductQuery {
        var query = ProductQuery(limit: limit)
        guard match == .all || conditions.count == 1 else { return query }
        for condition in conditions where condition.relation == .equals {
            switch condition.field {
            case .brand: query.brand = condition.value
            case .category: query.category = condition.value
            case .place: query.categoryID = CategoryID(condition.value)
            case .status: query.status = Product.Status(rawValue: condition.value)
            case .title, .tag, .price, .attribute: break
            }
        }
        return query
    }
}

extension CollectionRule.Condition {
    fileprivate func holds(
        _ product: Product, _ details: ProductDetails, _ subtrees: [CategoryID: Set<CategoryID>]
    ) -> Bool {
        switch field {
        case .title: holds(product.title)
        case .brand: holds(product.brand)
        case .category: holds(product.category)
        case .status: holds(product.status.rawValue)
        case .tag:
            // A product without the tag differs from it, however many others it has.
            relation == .differs ? !details.tags.contains(value) : details.tags.contains { holds($0) }
        case .attribute: holds(details.attributes.first { $0.name == name }?.value.plainText)
        case .place: (relation == .equals) == isBelow(product.categoryID, subtrees)
        case .price: product.variants.contains { holds($0.price) }
        }
    }

    private func isBelow(_ category: CategoryID?, _ subtrees: [CategoryID: Set<CategoryID>]) -> Bool {
        guard let category, let place = CategoryID(value) else { return false }
        return subtrees[place]?.contains(category) ?? false
    }

    private func holds(_ text: String?) -> Bool {
        switch relation {
        case .equals: text == value
        case .differs: text != value
        case .contains: text?.lowercased().contains(value.lowercased()) ?? false
        case .startsWith: text?.lowercased().hasPrefix(value.lowercased()) ?? false
        case .above, .below: false
        }
    }

    /// Prices of another currency are not compared, so they meet nothing.
    private func holds(_ price: Money?) -> Bool {
        guard let price, let money, price.currency == money.currency else { return false }
        return switch relation {
        case .equals: price.minorUnits == money.minorUnits
        case .differs: price.minorUnits != money.minorUnits
        case .above: price.minorUnits > money.minorUnits
        case .below: price.minorUnits < money.minorUnits
        case .contains, .startsWith: false
        }
    }
}

extension JSONValue {
    /// A plain value as text; nil for null, arrays and objects.
    fileprivate var plainText: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
