import Events
import Kernel

package typealias CategoryID = ID<Category>

/// A place in an organisation's tree of products.
package struct Category: Sendable, Equatable {
    package let id: CategoryID
    package let scope: Scope
    /// Nil at the top.
    package var parent: CategoryID?
    /// Unique among its siblings.
    package var name: String
    /// Among its siblings, lowest first; equal ones are in the order in which they were made.
    package var position: Int64
    package var version: Int64
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// The tree of one organisation, as the rules about it need it.
struct CategoryTree {
    private let nodes: [CategoryID: Category]

    init(_ categories: [Category]) {
        nodes = Dictionary(categories.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The categories from the top down to one.
    func path(to id: CategoryID) -> [Category] {
        var path: [Category] = []
        var next: CategoryID? = id
        while let id = next, let node = nodes[id], path.count < nodes.count {
            path.append(node)
            next = node.parent
        }
        return path.reversed()
    }

    /// Says why a category can't stand below another: the cycle that it would close, or the depth.
    func fault(moving id: CategoryID, below parent: CategoryID?) -> FieldFault? {
        guard let parent else { return nil }
        let above = path(to: parent)
        if above.isEmpty { return FieldFault(pointer: "/parent_id", detail: "there is no such category") }
        if let at = above.firstIndex(where: { $0.id == id }) {
            let circle = (above[at...].map(\.name) + [above[at].name]).joined(separator: " > ")
            return FieldFault(pointer: "/parent_id", detail: "would close a circle: \(circle)")
        }
        if above.count + height(of: id) > Limits.categoryDepth {
            return FieldFault(
                pointer: "/parent_id", detail: "would make the tree deeper than \(Limits.categoryDepth) levels")
        }
        return nil
    }

    /// Levels from a category down to its deepest one; one for a new or childless category.
    private func height(of id: CategoryID) -> Int {
        var children: [CategoryID: [CategoryID]] = [:]
        for node in nodes.values { if let parent = node.parent { children[parent, default: []].append(node.id) } }
        var level = [id]
        var height = 0
        while !level.isEmpty, height <= Limits.categoryDepth {
            height += 1
            level = level.flatMap { children[$0] ?? [] }
        }
        return height
    }
}

/// What a caller says of a category; a missing field stays, and a null parent moves it to the top.
package struct CategoryChange: Sendable {
    let name: String?
    let parent: FieldChange<CategoryID>
    let position: Int64?

    package init(_ fields: FieldReader) { self.init(fields, isNew: false) }

    /// - Parameter isNew: whether a name is required.
    package init(_ fields: FieldReader, isNew: Bool) {
        name = isNew || fields.isPresent("name") ? fields.requiredString("name", upTo: 200).trimmed : nil
        parent = fields.change("parent_id") { fields.id($0) }
        position = fields.integer("position", in: 0...1_000_000)
    }
}
