import Kernel

/// What a caller changes of an order: fields that are left out stay as they are.
package struct OrderEdit: Sendable {
    package struct Line: Sendable {
        package let key: String
        package let quantity: Int64
    }

    /// New quantities of lines; zero takes a line out.
    package let lines: [Line]
    package let newItems: [OrderItem]
    package let tags: [String]?
    /// Added to the timeline.
    package let note: String?

    /// - Parameter currency: that of the order, which the new lines' amounts are in.
    package init(_ fields: FieldReader, in currency: Currency) {
        lines =
            fields.objects("lines", upTo: Limits.orderLines) { line in
                let quantity = line.integer("quantity", in: 0...AdjustmentRequest.most)
                if line.value("quantity") == nil { line.fault("quantity", "is required") }
                return Line(key: line.requiredString("line_id", upTo: 200), quantity: quantity ?? 0)
            } ?? []
        newItems = fields.objects("add_lines", upTo: Limits.orderLines) { OrderItem($0, in: currency) } ?? []
        OrderItem.checkSum(of: newItems, beside: [], fields, "add_lines")
        tags = OrderTags.read(fields)
        note = fields.isPresent("note") ? fields.requiredString("note", upTo: Limits.textCharacters) : nil
        var seen: Set<String> = []
        for (index, line) in lines.enumerated() where !seen.insert(line.key).inserted {
            fields.fault(at: ["lines", String(index), "line_id"], "stands twice")
        }
    }

    var touchesLines: Bool { !lines.isEmpty || !newItems.isEmpty }
}

/// Words by which callers find orders again.
enum OrderTags {
    private static let most = 50

    /// The list `tags`, each once and without the white space around it; nil where it is not given.
    static func read(_ fields: FieldReader) -> [String]? {
        guard let given = fields.strings("tags", upTo: most) else { return nil }
        var tags: [String] = []
        for (index, text) in given.enumerated() {
            let tag = text.trimmed
            if tag.isEmpty || tag.unicodeScalars.count > 100 {
                fields.fault(at: ["tags", String(index)], "must have 1 to 100 characters")
            } else if tag.unicodeScalars.contains(where: { $0.value < 32 }) {
                fields.fault(at: ["tags", String(index)], "must not hold line breaks or other control characters")
            } else if !tags.contains(tag) {
                tags.append(tag)
            }
        }
        return tags
    }
}

extension Order {
    /// Makes an edit and names what it changed. `matches` are those of the added items, in their order.
    mutating func edit(_ edit: OrderEdit, matches: [MatchedVariant]) throws -> [String] {
        var names: [String] = []
        if edit.touchesLines {
            try refuseLineEdits()
            let before = self
            try setQuantities(edit.lines)
            add(edit.newItems, matches)
            try sumUp(difference: before.totalDifference)
            if lines != before.lines { names.append("line_items") }
            if total != before.total { names.append("total") }
            if discount != before.discount { names.append("discount_total") }
            if tax != before.tax { names.append("tax_total") }
            if matchStatus != before.matchStatus { names.append("match_status") }
        }
        if let tags = edit.tags, tags != self.tags {
            self.tags = tags
            names.append("tags")
        }
        if edit.note != nil { names.append("notes") }
        return names
    }

    private func refuseLineEdits() throws(Refusal) {
        if isImported {
            throw Refusal.conflict("The lines of an order from a connected store are changed there.")
        }
        let isEarly = [.draft, .pendingPayment, .paymentAuthorized, .confirmed, .processing].contains(status)
        guard isEarly, lines.allSatisfy({ $0.quantityShipped == 0 }) else {
            throw Refusal.conflict(
                "The lines of an order can be changed until it is fulfilled or ended; this one is \(status.rawValue).",
                fields: [Refusal.Field("order_status", .string(status.rawValue))])
        }
    }

    private mutating func setQuantities(_ changes: [OrderEdit.Line]) throws {
        for (index, change) in changes.enumerated() {
            guard let at = lines.firstIndex(where: { $0.key == change.key }) else {
                throw InvalidDocument(
                    pointer: "/lines/\(index)/line_id", detail: "\"\(change.key)\" is no line of the order")
            }
            guard let changed = lines[at].with(quantity: change.quantity) else {
                throw InvalidDocument(
                    pointer: "/lines/\(index)/quantity", detail: "makes the line's total larger than can be held")
            }
            tax.minorUnits += changed.tax.minorUnits - lines[at].tax.minorUnits
            lines[at] = changed
        }
    }

    /// Adds the parts up anew. A difference that was recorded stays one: it is not mended.
    private mutating func sumUp(difference: Money) throws {
        guard lines.count <= Limits.orderLines else {
            throw InvalidDocument(pointer: "/add_lines", detail: "makes more than \(Limits.orderLines) lines")
        }
        total.minorUnits = try Self.sum([shipping, tax, difference] + lines.map(\.total))
        // Of orders that are edited here the lines' discounts are all there are.
        discount.minorUnits = try Self.sum(lines.map(\.discount))
    }

    private static func sum(_ parts: [Money]) throws -> Int64 {
        var sum: Int64 = 0
        for part in parts {
            let (next, carry) = sum.addingReportingOverflow(part.minorUnits)
            if carry || next > Int64.max / 2 {
                throw InvalidDocument(pointer: "", detail: "makes the order's total larger than can be held")
            }
            sum = next
        }
        return sum
    }

    private mutating func add(_ items: [OrderItem], _ matches: [MatchedVariant]) {
        for (item, match) in zip(items, matches) {
            let told = item.line(at: lines.count + 1)
            lines.append(
                OrderLine(
                    key: told.key, itemID: told.itemID, sku: told.sku, title: told.title, variant: match.variant,
                    match: match.how, quantityOrdered: told.quantity, quantityCurrent: told.quantity,
                    quantityFulfilled: 0, unitPrice: told.unitPrice, total: told.total, tax: told.tax,
                    location: match.variant == nil ? nil : item.location))
            tax.minorUnits += told.tax.minorUnits
        }
    }
}

extension OrderLine {
    /// What was taken off what its pieces cost. An order that is edited here holds no line that would not fit.
    var discount: Money {
        Money(
            minorUnits: unitPrice.minorUnits &* quantityCurrent &- total.minorUnits, currency: unitPrice.currency)
    }

    /// The line with another quantity; nil where its total can't be held. A discount stays what it was in money, tax
    /// goes with the line.
    func with(quantity: Int64) -> OrderLine? {
        let (full, overflow) = unitPrice.minorUnits.multipliedReportingOverflow(by: quantity)
        if overflow || full > Int64.max / 4 { return nil }
        var line = self
        line.quantityCurrent = quantity
        line.quantityOrdered = max(quantityOrdered, quantity)
        line.total.minorUnits = quantity == 0 ? 0 : max(0, full - discount.minorUnits)
        if quantity == 0 { line.tax.minorUnits = 0 }
        return line
    }
}
