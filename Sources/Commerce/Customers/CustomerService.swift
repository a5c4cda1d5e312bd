import Events
import Kernel
import Storage
import Webhooks

/// What callers can do with customers. Contact data is changed without an event: there would be nothing to tell.
package struct CustomerService: Sendable {
    /// A customer, and the ids of others with the same e-mail address. They are told, never merged.
    package struct Saved: Sendable {
        package let customer: Customer
        package let duplicates: [CustomerID]

        package init(customer: Customer, duplicates: [CustomerID]) {
            self.customer = customer
            self.duplicates = duplicates
        }
    }

    /// Duplicates that one answer names.
    private static let duplicatesTold = 20

    private let publisher: EventPublisher
    private let ids: IDGenerator

    package init(publisher: EventPublisher, ids: IDGenerator) {
        self.publisher = publisher
        self.ids = ids
    }

    // MARK: Reading

    /// One customer; deleted ones and those of other owners are not found alike.
    package func require(_ id: CustomerID, scope: Scope) async throws -> Saved {
        let found = try await publisher.database.read { transaction in
            try CustomerStore.fetch(id, scope: scope, in: transaction).map { try Self.saved($0, in: transaction) }
        }
        guard let found else { throw Refusal.notFound("customer") }
        return found
    }

    /// A page of customers; one more than asked for tells that there is a next page.
    package func list(_ query: CustomerQuery, scope: Scope) async throws -> [Customer] {
        try await publisher.database.read { try query.run(scope: scope, in: $0) }
    }

    // MARK: Changing

    /// Saves a customer, also when another has the same e-mail address.
    package func create(_ new: NewCustomer, scope: Scope, actor: Actor) async throws -> Saved {
        let id: CustomerID = ids.next()
        return try await publisher.write { transaction, events in
            var blank = Customer(id: id, scope: scope, kind: new.kind, now: events.now)
            blank.status = new.status
            let customer = try new.change.applied(to: blank)
            try CustomerStore.insert([customer], in: transaction)
            events.append(CustomerCreated(customer: customer.payload), scope: scope, actor: actor, source: "api")
            return try Self.saved(customer, in: transaction)
        }
    }

    /// Sets the fields that are given.
    package func change(
        _ id: CustomerID, _ change: CustomerChange, ifMatch: VersionMatch = .any, scope: Scope
    ) async throws -> Saved {
        try await edit(id, ifMatch, scope) { customer, _ in
            customer = try change.applied(to: customer)
            return nil
        }
    }

    /// Moves a customer to another status, if there is such a move.
    package func move(
        _ id: CustomerID, to next: Customer.Status, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> Saved {
        try await edit(id, ifMatch, scope) { customer, events in
            let before = customer.status
            guard before.nextStates.contains(next) else {
                throw Refusal.noMove("customer", from: before, to: next, allowed: before.nextStates)
            }
            customer.status = next
            return { stamped in
                events.append(
                    CustomerStatusChanged(customer: stamped.payload, oldStatus: before.rawValue), scope: scope,
                    actor: actor, source: "api")
            }
        }
    }

    /// Gives a customer to a user to look after, or to nobody.
    package func assign(
        _ id: CustomerID, _ assignment: CustomerAssignment, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> Saved {
        try await edit(id, ifMatch, scope) { customer, events in
            let before = customer.assignedTo
            if before == assignment.user { return nil }
            customer.assignedTo = assignment.user
            return { stamped in
                events.append(
                    CustomerAssigned(customer: stamped.payload, before: before), scope: scope, actor: actor,
                    source: "api")
            }
        }
    }

    /// Takes a customer out of all lists. What it is called is still in its row and orders until it is erased.
    package func delete(_ id: CustomerID, ifMatch: VersionMatch = .any, scope: Scope) async throws {
        try await publisher.write { transaction, events in
            let customer = try Self.lock(id, ifMatch, scope, in: transaction)
            try CustomerStore.delete(customer, now: events.now, in: transaction)
        }
    }

    // MARK: Parts

    private func edit(
        _ id: CustomerID, _ match: VersionMatch, _ scope: Scope,
        _ body: @escaping @Sendable (inout Customer, EventBuffer) throws -> ((Customer) -> Void)?
    ) async throws -> Saved {
        try await publisher.write { transaction, events in
            let old = try Self.lock(id, match, scope, in: transaction)
            if old.erasedAt != nil { throw Refusal.conflict("The customer's data was erased; it can't be changed.") }
            var new = old
            let tell = try body(&new, events)
            if new != old {
                new.version += 1
                new.updatedAt = events.now
                try CustomerStore.update(new, was: old, in: transaction)
                tell?(new)
            }
            return try Self.saved(new, in: transaction)
        }
    }

    static func lock(
        _ id: CustomerID, _ match: VersionMatch, _ scope: Scope, in transaction: any Transaction
    ) throws -> Customer {
        guard let customer = try CustomerStore.fetch(id, scope: scope, isLocked: true, in: transaction) else {
            throw Refusal.notFound("customer")
        }
        try match.require(customer.version)
        return customer
    }

    static func saved(_ customer: Customer, in transaction: any Transaction) throws -> Saved {
        Saved(
            customer: customer,
            duplicates: try CustomerStore.namesakes(of: customer, limit: duplicatesTold, in: transaction))
    }
}
