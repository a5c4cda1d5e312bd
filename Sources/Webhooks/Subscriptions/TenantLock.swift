import Kernel
import Storage

/// Has the transactions of one tenant that count before they add come one after the other.
package enum TenantLock {
    /// Holds the tenant's row to the end of the transaction: two that come at once can't both be the last one allowed.
    package static func take(_ tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute("SELECT id FROM tenant WHERE id = $1 {for update}", [.id(tenant)])
    }
}
