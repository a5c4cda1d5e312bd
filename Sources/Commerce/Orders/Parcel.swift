import Kernel

/// Goods that left for an order, or that came back from it.
package struct Parcel: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case fulfilment
        case returned = "return"
    }

    package struct Line: Sendable, Equatable {
        /// The key of the order's line.
        package let key: String
        package let quantity: Int64
    }

    package let id: ID<Parcel>
    package let kind: Kind
    package let externalID: String?
    package let carrier: String?
    package let trackingNumber: String?
    package let trackingURL: String?
    package let reason: String?
    package let lines: [Line]
    package let createdAt: Timestamp
}

/// What a caller gives for a fulfilment or a return.
package struct ParcelRequest: Sendable {
    package let kind: Parcel.Kind
    /// The parcel's id at whoever keeps it: telling it twice records it once.
    package let externalID: String?
    package let carrier: String?
    package let trackingNumber: String?
    package let trackingURL: String?
    package let reason: String?
    /// Empty is all that there is.
    package let items: [Parcel.Line]

    package init(_ kind: Parcel.Kind, _ fields: FieldReader) {
        self.kind = kind
        externalID = fields.string("external_id", upTo: 200)
        if externalID?.isEmpty == true { fields.fault("external_id", "must not be empty") }
        let isSent = kind == .fulfilment
        carrier = isSent ? fields.string("carrier", upTo: 100) : nil
        trackingNumber = isSent ? fields.string("tracking_number", upTo: 200) : nil
        trackingURL = isSent ? fields.string("tracking_url", upTo: 2000) : nil
        reason = isSent ? nil : fields.string("reason", upTo: 500)
        items =
            fields.objects("items", upTo: Limits.orderLines) { item in
                let quantity = item.integer("quantity", in: 1...AdjustmentRequest.most)
                if item.value("quantity") == nil { item.fault("quantity", "is required") }
                return Parcel.Line(key: item.requiredString("line_id", upTo: 200), quantity: quantity ?? 1)
            } ?? []
        if fields.value("items") != nil, items.isEmpty {
            fields.fault("items", "must have at least one item; leave it out for everything")
        }
        var seen: Set<String> = []
        for (index, item) in items.enumerated() where !seen.insert(item.key).inserted {
            fields.fault(at: ["items", String(index), "line_id"], "stands twice")
        }
    }

    /// The parcel's lines, where the order has them and they are not more than `bound` allows of each.
    ///
    /// - Parameter word: what the bound counts, for the answer.
    func lines(of order: Order, atMost bound: (OrderLine) -> Int64, word: String) throws -> [Parcel.Line] {
        if items.isEmpty {
            let all = order.lines.map { Parcel.Line(key: $0.key, quantity: bound($0)) }.filter { $0.quantity > 0 }
            if all.isEmpty { throw InvalidDocument(pointer: "/items", detail: "nothing of the order is \(word)") }
            return all
        }
        var faults: [FieldFault] = []
        for (index, item) in items.enumerated() {
            guard let line = order.lines.first(where: { $0.key == item.key }) else {
                faults.append(
                    FieldFault(pointer: "/items/\(index)/line_id", detail: "\"\(item.key)\" is no line of the order"))
                continue
            }
            let most = bound(line)
            if item.quantity > most {
                faults.append(
                    FieldFault(pointer: "/items/\(index)/quantity", detail: "is more than the \(most) that are \(word)")
                )
            }
        }
        if !faults.isEmpty { throw InvalidDocument(faults) }
        return items
    }

    func parcel(_ id: ID<Parcel>, lines: [Parcel.Line], now: Timestamp) -> Parcel {
        Parcel(
            id: id, kind: kind, externalID: externalID, carrier: carrier, trackingNumber: trackingNumber,
            trackingURL: trackingURL, reason: reason, lines: lines, createdAt: now)
    }
}
