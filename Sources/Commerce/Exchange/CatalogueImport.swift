import Events
import Kernel
import Storage

package typealias ImportID = ID<CatalogueImport>

/// A catalogue file that somebody sent, and how far it has been dealt with.
package struct CatalogueImport: Sendable, Equatable {
    package enum Format: String, Sendable, CaseIterable {
        case csv
        case jsonl
    }

    package enum State: String, Sendable, CaseIterable {
        /// Its bytes are still coming.
        case uploading
        case running
        /// It was to run, and its workflow has been given up. Never stored: it follows from the two rows.
        case failed
        case paused
        case completed
        case cancelled

        /// Whether a caller may ask for the move; asking for the state that it has changes nothing and is allowed.
        func canMove(to next: State) -> Bool {
            switch (self, next) {
            case (.running, .paused), (.paused, .running), (.failed, .running): true
            case (.running, .cancelled), (.paused, .cancelled), (.failed, .cancelled): true
            default: self == next
            }
        }
    }

    /// What became of the rows so far.
    package struct Counts: Sendable, Equatable {
        package var rows = 0
        package var created = 0
        package var updated = 0
        package var unchanged = 0
        package var refused = 0
    }

    package let id: ImportID
    package let scope: Scope
    package let format: Format
    /// Of prices that name none.
    package let currency: Currency?
    package let isDryRun: Bool
    package var state: State
    /// Whose columns it has: `tradewind`, `shopify` or `woocommerce`.
    package var source: String?
    package var digest: [UInt8]?
    /// Bytes of the file.
    package var size: Int
    /// Bytes that are dealt with.
    package var position: Int
    var line: Int
    package var counts = Counts()
    package var faultCount = 0
    package let requestedBy: UserID
    let role: String
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    package var finishedAt: Timestamp?
    /// Why it failed.
    package var failure: String?

    var actor: Actor { Actor(user: requestedBy, role: role) }
}

/// What a caller says of a file before its bytes.
package struct ImportRequest: Sendable {
    package let format: CatalogueImport.Format
    package let currency: Currency?
    package let isDryRun: Bool
    package let idempotencyKey: String?

    package init(format: CatalogueImport.Format, currency: Currency?, isDryRun: Bool, idempotencyKey: String?) {
        self.format = format
        self.currency = currency
        self.isDryRun = isDryRun
        self.idempotencyKey = idempotencyKey
    }
}
