import Events
import Kernel
import Storage
import Webhooks

/// A draft and what it reads as: a row for the catalogue, or what is wrong with it.
struct ImportRow: Sendable {
    let draft: ImportDraft
    var row: CatalogueRow?
    var faults: [ImportFault] = []

    init(_ draft: ImportDraft, layout: ImportLayout) {
        self.draft = draft
        do {
            let read = try FieldReader.read(.object(draft.document)) { CatalogueRow($0, group: draft.group) }
            row = read
        } catch {
            refuse((error as? InvalidDocument)?.faults ?? [FieldFault(pointer: "", detail: "\(error)")], layout)
        }
    }

    mutating func refuse(_ found: [FieldFault], _ layout: ImportLayout) {
        row = nil
        faults += found.map { fault in
            var pointer = fault.pointer
            if pointer.hasPrefix("/variant"), draft.variantPointer != "/variant" {
                pointer = draft.variantPointer + pointer.dropFirst(8)
            }
            let field = pointer.isEmpty ? nil : layout.field(of: pointer)
            return ImportFault(line: draft.line, field: field, reason: fault.detail)
        }
    }
}

/// The rows of one batch on their way into the catalogue, within one transaction.
struct ImportSlice {
    private var rows: [ImportRow]
    private let layout: ImportLayout
    private let one: CatalogueImport
    private(set) var counts = CatalogueImport.Counts()

    init(_ rows: [ImportRow], layout: ImportLayout, of one: CatalogueImport) {
        self.rows = rows
        self.layout = layout
        self.one = one
    }

    var faults: [ImportFault] { rows.flatMap(\.faults) }

    mutating func write(
        with writer: CatalogueWriter, events: EventBuffer, in transaction: any Transaction
    ) throws {
        try refuseDoubles(in: transaction)
        try place(ids: writer.ids, now: events.now, in: transaction)
        let good = rows.indices.filter { rows[$0].row != nil }
        let author = CatalogueWriter.Author(actor: one.actor, source: "import:\(one.id)")
        let outcomes = try writer.upsert(
            good.compactMap { rows[$0].row }, scope: one.scope, by: author, isDryRun: one.isDryRun, events: events,
            in: transaction)
        counts.refused = rows.count - good.count
        for (index, outcome) in zip(good, outcomes) {
            switch outcome {
            case .created: counts.created += 1
            case .updated: counts.updated += 1
            case .unchanged: counts.unchanged += 1
            case .refused(let faults):
                counts.refused += 1
                rows[index].refuse(missingParent(of: index, faults).map { [$0] } ?? faults, layout)
            }
        }
    }

    /// What to say of a variation whose parent isn't there: that its product has no title, which it can't have of
    /// itself, would help nobody. Nil for rows that were refused for something else.
    private func missingParent(of index: Int, _ faults: [FieldFault]) -> FieldFault? {
        let draft = rows[index].draft
        guard let parent = draft.parent, faults.contains(where: { $0.pointer == "/title" }) else { return nil }
        let own = rows.firstIndex { $0.draft.parent == nil && $0.draft.handle == draft.handle }
        let detail =
            if let own, own > index {
                "\"\(parent)\" stands behind its variation, in line \(rows[own].draft.line): put the parent's row "
                    + "before line \(draft.line)"
            } else if let own {
                "\"\(parent)\" in line \(rows[own].draft.line) was refused: mend that row and bring both in again"
            } else {
                "\"\(parent)\" is no product of the catalogue and stands in no row before line \(draft.line): put the "
                    + "parent's row (Type variable) before its variations, or bring it in first"
            }
        return FieldFault(pointer: "/parent", detail: detail)
    }

    /// A SKU that stood before in the same file is refused, and the line that had it first is named.
    private mutating func refuseDoubles(in transaction: any Transaction) throws {
        let skus = Set(rows.compactMap(\.draft.sku))
        var lines = try ImportStore.lines(ofSKUs: skus.sorted(), in: one.id, in: transaction)
        var new: [(sku: String, line: Int)] = []
        for index in rows.indices {
            guard let sku = rows[index].draft.sku else { continue }
            if let first = lines[sku] {
                let fault = FieldFault(pointer: "/variant/sku", detail: "\"\(sku)\" stands in line \(first) already")
                rows[index].refuse([fault], layout)
            } else {
                lines[sku] = rows[index].draft.line
                new.append((sku, rows[index].draft.line))
            }
        }
        try ImportStore.note(new.sorted { $0.sku < $1.sku }, of: one.id, in: transaction)
    }

    /// Finds the places in the tree that rows name by their paths, and makes those that are missing.
    private mutating func place(ids: IDGenerator, now: Timestamp, in transaction: any Transaction) throws {
        let placed = rows.indices.filter { rows[$0].row != nil && rows[$0].draft.categoryPath != nil }
        if placed.isEmpty { return }
        var paths = CategoryPaths(
            try CategoryStore.lockAll(scope: one.scope, in: transaction), scope: one.scope)
        for index in placed {
            do throws(InvalidDocument) {
                let path = rows[index].draft.categoryPath ?? []
                let found = try paths.place(path, canAdd: !one.isDryRun, ids: ids, now: now)
                if let id = found { rows[index].row?.product.categoryID = .set(id) }
            } catch {
                rows[index].refuse(error.faults, layout)
            }
        }
        for category in paths.added { try CategoryStore.insert(category, in: transaction) }
    }
}

/// Places in an organisation's tree by their names from the top.
struct CategoryPaths {
    private struct Place: Hashable {
        let parent: CategoryID?
        let name: String
    }

    private var places: [Place: CategoryID] = [:]
    private let scope: Scope
    /// New ones, each behind its parent.
    private(set) var added: [Category] = []

    init(_ categories: [Category], scope: Scope) {
        self.scope = scope
        for one in categories { places[Place(parent: one.parent, name: one.name)] = one.id }
    }

    /// The place of a path; nil where it isn't there and may not be added.
    mutating func place(
        _ path: [String], canAdd: Bool, ids: IDGenerator, now: Timestamp
    ) throws(InvalidDocument) -> CategoryID? {
        func fault(_ detail: String) -> InvalidDocument { InvalidDocument(pointer: "/category_path", detail: detail) }
        if path.count > Limits.categoryDepth { throw fault("is deeper than \(Limits.categoryDepth) levels") }
        var parent: CategoryID?
        for name in path {
            let name = name.trimmed
            if name.isEmpty || name.unicodeScalars.count > 200 { throw fault("must be names of 1 to 200 characters") }
            if let known = places[Place(parent: parent, name: name)] {
                parent = known
                continue
            }
            if places.count >= Limits.categories { throw fault("there are at most \(Limits.categories) categories") }
            if !canAdd { return nil }
            let category = Category(
                id: ids.next(), scope: scope, parent: parent, name: name, position: 0, version: 1, createdAt: now,
                updatedAt: now)
            added.append(category)
            places[Place(parent: parent, name: name)] = category.id
            parent = category.id
        }
        return parent
    }
}
