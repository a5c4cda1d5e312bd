import Kernel

/// What the gateway's statuses mean here: Unified.to's enumeration, and our own names as they are.
enum UnifiedStatus {
    /// Nil for a status nobody has told us of: the enumeration is an open one.
    static func status(_ text: String) -> OrderStatus? {
        switch text.uppercased() {
        // An open or submitted order says nothing about money; a partly paid one still waits for the rest.
        case "OPEN", "SUBMITTED", "PARTIALLY_PAID": .pendingPayment
        case "AUTHORIZED": .paymentAuthorized
        case "PAID": .confirmed
        case "VOIDED", "DELETED", "CANCELED": .cancelled
        default: OrderStatus(rawValue: text.lowercased())
        }
    }
}
