import Events
import Kernel

/// Why a level moved.
package enum LedgerReason: String, Sendable, CaseIterable {
    case adjustment
    /// Goods left for an order.
    case sale
    /// Goods of an order came back, or never left after all.
    case returned = "return"
    case transfer
    /// A count that another system told.
    case sync
    /// An order claims pieces, or gives its claim up; nothing is carried anywhere.
    case reservation
}

/// A transfer between two locations: two ledger lines that share its id.
package enum Transfer {}

/// Something that is to happen to one level.
struct StockMove: Sendable {
    let key: LevelKey
    let organisation: OrganisationID
    let sku: String?
    let reason: LedgerReason
    /// What is added to the level's two numbers.
    let delta: Balance
    var order: OrderID?
    var transfer: ID<Transfer>?
    var note: String?
    let origin: MoveOrigin

    var scope: Scope { Scope(tenant: key.tenant, organisation: organisation) }

    /// Whether it comes from somebody who knows how much is there: an order knows only how much it takes.
    var counts: Bool { order == nil }
}

/// Who or what moves stock, as ledger lines and events name it.
struct MoveOrigin: Sendable {
    let actor: Actor
    /// `api`, `connection:<id>` or `rematch`.
    let source: String
    var causation: ID<DomainEvent.Cause>?
}

/// One move as it was written, with what the level came to by it. Lines are only ever added.
package struct LedgerLine: Sendable, Equatable {
    package let id: ID<LedgerLine>
    package let scope: Scope
    package let variant: VariantID
    package let sku: String?
    package let location: LocationID
    package let reason: LedgerReason
    package let delta: Balance
    package let after: Balance
    package let order: OrderID?
    package let transfer: ID<Transfer>?
    package let note: String?
    package let user: UserID
    package let source: String
    package let createdAt: Timestamp

    /// Whether this very move left more promised than there is.
    package var oversells: Bool { delta.available < 0 && after.available < 0 }
}
