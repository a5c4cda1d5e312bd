/// The states of an order and the moves between them that a caller may ask for.
///
/// Imports may set any state: a source is believed as to its own orders.
package enum OrderStatus: String, Sendable, CaseIterable {
    case draft
    case pendingPayment = "pending_payment"
    case paymentAuthorized = "payment_authorized"
    case confirmed
    case processing
    case partiallyFulfilled = "partially_fulfilled"
    case fulfilled
    case delivered
    case completed
    case returnRequested = "return_requested"
    case partiallyReturned = "partially_returned"
    case returned
    case refunded
    case partiallyRefunded = "partially_refunded"
    case cancelled
    case failed

    /// Where a caller may move an order in this state to, in the order of the usual course.
    package var nextStates: [OrderStatus] {
        switch self {
        case .draft: [.pendingPayment, .cancelled]
        case .pendingPayment: [.paymentAuthorized, .failed, .cancelled]
        case .paymentAuthorized: [.confirmed, .failed, .cancelled]
        case .confirmed: [.processing, .cancelled]
        case .processing: [.partiallyFulfilled, .fulfilled]
        case .partiallyFulfilled: [.fulfilled]
        case .fulfilled: [.delivered, .returnRequested]
        case .delivered: [.completed, .returnRequested]
        case .returnRequested: [.partiallyReturned, .returned]
        case .returned: [.refunded]
        case .completed, .partiallyReturned, .refunded, .partiallyRefunded, .cancelled, .failed: []
        }
    }

    /// Whether an order stays in this state. The seed knows no move out of `partially_returned`, and yet the rest of
    /// the goods may come back: recording that moves the order.
    package var isFinal: Bool { nextStates.isEmpty && self != .partiallyReturned }
}
