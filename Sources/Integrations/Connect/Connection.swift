import Connectors
import Events
import Kernel

package typealias ConnectionID = ID<Connection>

/// A tenant's link to one store or platform.
package struct Connection: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case active
        /// Deliveries are refused with 403 until somebody resumes it.
        case paused
        case disconnected
    }

    package let id: ConnectionID
    package let scope: Scope
    /// The `connection_id` of the wire, given by the provider or gateway; unique over all tenants.
    package let externalID: String
    package let provider: String
    package let category: ConnectionCategory
    package var status: Status
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    /// When its newest delivery came; nil while none has.
    package var lastReceivedAt: Timestamp?
}
