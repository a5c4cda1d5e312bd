import Kernel

// What callers may do to an order after it was placed. Pure: each either changes the order or says why not.

extension Order {
    /// Moves the order to another state, if there is such a move.
    mutating func move(to next: OrderStatus) throws(Refusal) {
        guard status.nextStates.contains(next) else {
            throw refusal("go from \(status.rawValue) to \(next.rawValue)")
        }
        status = next
        switch next {
        case .fulfilled:
            // Whoever says so without a parcel has sent all of it.
            for index in lines.indices where !lines[index].isFee {
                lines[index].quantityShipped = max(lines[index].quantityShipped, lines[index].quantityCurrent)
                lines[index].quantityFulfilled = max(lines[index].quantityFulfilled, lines[index].quantityCurrent)
            }
        case .returned:
            for index in lines.indices { lines[index].quantityReturned += lines[index].outside }
        default: break
        }
    }

    private func refusal(_ what: String) -> Refusal {
        let names = status.nextStates.map(\.rawValue)
        let rest =
            if status.isFinal {
                "its state is final."
            } else if names.isEmpty {
                "a return of what is still outside moves it."
            } else {
                "it can go to \(names.joined(separator: ", "))."
            }
        return Refusal.conflict(
            "An order can't \(what); \(rest)",
            fields: [Refusal.Field("allowed", .array(names.map { .string($0) }))])
    }

    // MARK: Parcels

    /// Sends a parcel, or all that is open, and moves the order to the state that follows from it.
    mutating func send(_ parcel: ParcelRequest) throws -> [Parcel.Line] {
        guard status == .processing || status == .partiallyFulfilled else {
            throw refusal("be fulfilled while it is \(status.rawValue)")
        }
        let sent = try parcel.lines(of: self, atMost: \.open, word: "open")
        for line in sent {
            guard let index = lines.firstIndex(where: { $0.key == line.key }) else { continue }
            lines[index].quantityShipped += line.quantity
            lines[index].quantityFulfilled = max(lines[index].quantityFulfilled, lines[index].quantityShipped)
        }
        status = lines.allSatisfy { $0.open == 0 } ? .fulfilled : .partiallyFulfilled
        return sent
    }

    /// Takes a parcel back, or all that is outside, and moves the order to the state that follows from it. Money is
    /// another matter: it goes back by a refund.
    mutating func takeBack(_ parcel: ParcelRequest) throws -> [Parcel.Line] {
        guard status == .returnRequested || status == .partiallyReturned else {
            throw refusal("take goods back while it is \(status.rawValue)")
        }
        let back = try parcel.lines(of: self, atMost: \.outside, word: "with the customer")
        for line in back {
            guard let index = lines.firstIndex(where: { $0.key == line.key }) else { continue }
            lines[index].quantityReturned += line.quantity
        }
        status = lines.allSatisfy { $0.outside == 0 } ? .returned : .partiallyReturned
        return back
    }

    // MARK: Refunds

    /// What is known already under a refund's id.
    func known(_ refund: RefundRequest) -> OrderAdjustment? {
        adjustments.first { $0.externalID == refund.externalID }
    }

    /// Gives money back. Nil when the refund is known already under its id; an order whose goods and money are all back
    /// is refunded.
    mutating func refund(_ refund: RefundRequest) throws -> OrderAdjustment? {
        if let other = refund.currency, other != currency {
            throw InvalidDocument(pointer: "/currency", detail: "the order is in \(currency.code)")
        }
        let amount: Money
        do throws(MoneyError) { amount = try Money(refund.digits, in: currency) } catch {
            throw InvalidDocument(pointer: "/amount", detail: error.description)
        }
        if let known = known(refund) {
            if known.amount == amount { return nil }
            throw Refusal.conflict(
                "The refund \"\(refund.externalID)\" is known with the amount \(known.amount.decimalText).")
        }
        if amount.minorUnits <= 0 { throw InvalidDocument(pointer: "/amount", detail: "must be above zero") }
        let left = paid.minorUnits - refunded.minorUnits
        if amount.minorUnits > left {
            let most = Money(minorUnits: max(0, left), currency: currency).decimalText
            throw InvalidDocument(
                pointer: "/amount", detail: "is more than the \(most) that was paid and not given back yet")
        }
        let adjustment = OrderAdjustment(
            externalID: refund.externalID, amount: amount, reason: refund.reason, isFromSource: false)
        adjustments.append(adjustment)
        if status == .returned, amount.minorUnits == left { status = .refunded }
        return adjustment
    }
}

/// What a caller gives for a refund.
package struct RefundRequest: Sendable {
    /// The id of the refund wherever it was made: telling it twice gives it once.
    package let externalID: String
    /// The amount's digits, read with the order's currency once the order is at hand.
    package let digits: String
    package let currency: Currency?
    package let reason: String?

    package init(_ fields: FieldReader) {
        externalID = fields.requiredString("external_id", upTo: 200)
        let given = fields.value("amount")
        digits = given?.decimalText ?? ""
        if given == nil {
            fields.fault("amount", "is required")
        } else if given?.decimalText == nil {
            fields.fault("amount", "must be a number")
        }
        currency = fields.currency("currency")
        reason = fields.string("reason", upTo: 500)
    }
}
