import Kernel

package enum Event {}
package typealias EventID = ID<Event>

/// Something that happened, as it is kept, fed and delivered (the `DomainEvent` of seed 002).
package struct DomainEvent: Sendable {
    package let id: EventID
    package let type: String
    package let occurredAt: Timestamp
    package let scope: Scope
    package let actor: Actor
    package let entity: Entity
    /// Where the change came from: `connection:<id>` or `api`.
    package let source: String
    /// The inbox entry, request or event that caused it.
    package let causation: ID<Cause>?
    /// A JSON object with the public fields only: this is what leaves by push and feed.
    package let payload: [UInt8]
    /// A JSON object with the confidential and restricted fields, for callers of the API who may see them.
    package let withheld: [UInt8]?

    package init(
        id: EventID, type: String, occurredAt: Timestamp, scope: Scope, actor: Actor, entity: Entity, source: String,
        causation: ID<Cause>?, payload: [UInt8], withheld: [UInt8]?
    ) {
        self.id = id
        self.type = type
        self.occurredAt = occurredAt
        self.scope = scope
        self.actor = actor
        self.entity = entity
        self.source = source
        self.causation = causation
        self.payload = payload
        self.withheld = withheld
    }

    /// What an event, an order or an import was caused by, whatever kind of row that is.
    package enum Cause {}

    /// The thing that the event is about.
    package struct Entity: Hashable, Sendable {
        /// Its type in an event's name: the `order` of `order.created`.
        package let type: String
        package let id: ID<Entity>

        package init<Kind>(type: String, id: ID<Kind>) {
            self.type = type
            self.id = id.cast()
        }
    }
}

/// Whose row something is: each row belongs to a tenant and one of its organisations.
package struct Scope: Hashable, Sendable {
    package let tenant: TenantID
    package let organisation: OrganisationID

    package init(tenant: TenantID, organisation: OrganisationID) {
        self.tenant = tenant
        self.organisation = organisation
    }
}

/// Who did it. The system itself has the nil UUID and the role `system` (seed 002 names no other form).
package struct Actor: Hashable, Sendable {
    package let user: UserID
    package let role: String

    package init(user: UserID, role: String) {
        self.user = user
        self.role = role
    }

    package static let system = Actor(user: .zero, role: "system")
}
