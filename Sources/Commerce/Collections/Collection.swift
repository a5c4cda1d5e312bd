import Events
import Kernel

package typealias CollectionID = ID<Collection>

/// Products that are shown or synced together: listed by hand in an order, or found by a rule.
package struct Collection: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case manual
        case rule
    }

    package let id: CollectionID
    package let scope: Scope
    package var title: String
    /// A name for addresses, unique in the organisation.
    package var handle: String?
    package var description: String?
    /// Nil for one that is listed by hand.
    package var rule: CollectionRule?
    package var version: Int64
    package let createdAt: Timestamp
    package var updatedAt: Timestamp

    package var kind: Kind { rule == nil ? .manual : .rule }
}

/// What a caller gives for a new collection. Its kind stays for good.
package struct NewCollection: Sendable {
    let change: CollectionChange

    package init(_ fields: FieldReader) {
        let kind = fields.choice("kind", of: Collection.Kind.self)
        if fields.value("kind") == nil { fields.fault("kind", "is required") }
        change = CollectionChange(fields, isNew: true)
        switch kind {
        case .rule: if fields.value("rule") == nil { fields.fault("rule", "is required for this kind") }
        case .manual: if fields.value("rule") != nil { fields.fault("rule", "is for the kind \"rule\"") }
        case nil: break
        }
    }
}

/// What a caller says of a collection: null empties a field, a missing one stays.
package struct CollectionChange: Sendable {
    let title: String?
    let handle: FieldChange<String>
    let description: FieldChange<String>
    let rule: CollectionRule?

    package init(_ fields: FieldReader) { self.init(fields, isNew: false) }

    init(_ fields: FieldReader, isNew: Bool) {
        title = isNew || fields.isPresent("title") ? fields.requiredString("title", upTo: 500) : nil
        handle = fields.change("handle") { ProductChange.handle(fields, $0) }
        description = fields.change("description") { fields.string($0, upTo: 20_000) }
        rule = fields.object("rule") { CollectionRule($0) }
    }

    /// The collection as it would be. A rule can't be given to one that is listed by hand.
    func applied(to old: Collection, isNew: Bool = false) throws(InvalidDocument) -> Collection {
        var new = old
        new.title = title ?? old.title
        new.handle = handle.applied(to: old.handle)
        new.description = description.applied(to: old.description)
        if let rule {
            if old.rule == nil, !isNew { throw InvalidDocument(pointer: "/rule", detail: "is for the kind \"rule\"") }
            new.rule = rule
        }
        return new
    }
}

/// The products of a collection that is listed by hand, in their order.
package struct CollectionList: Sendable {
    let products: [ProductID]

    package init(_ fields: FieldReader) {
        let texts = fields.strings("product_ids", upTo: Limits.collectionProducts) ?? []
        if fields.value("product_ids") == nil { fields.fault("product_ids", "is required") }
        var seen: Set<ProductID> = []
        products = texts.enumerated().compactMap { index, text in
            guard let id = ProductID(text) else {
                fields.fault(at: ["product_ids", String(index)], "must be a UUID")
                return nil
            }
            if !seen.insert(id).inserted { fields.fault(at: ["product_ids", String(index)], "stands twice") }
            return id
        }
    }
}
