import Events
import Kernel
import Storage
import Webhooks

/// Finds the customers that bought, a batch at once, and makes those that are not known yet.
package struct CustomerLinker: Sendable {
    /// Who bought, as a source tells it.
    package struct Buyer: Hashable, Sendable {
        package let scope: Scope
        package let connection: ID<OrderSource>
        /// The source's id of the buyer; nil for a guest.
        package let externalID: String?
        package let name: String?
        package let email: String?

        package init(
            scope: Scope, connection: ID<OrderSource>, externalID: String?, name: String?, email: String?
        ) {
            self.scope = scope
            self.connection = connection
            self.externalID = externalID.flatMap { $0.isEmpty ? nil : $0 }
            self.name = name?.trimmed
            let address = email?.trimmed ?? ""
            self.email = CustomerChange.isEmail(address) ? address : nil
        }

        fileprivate var emailKey: OwnedKey? { email.map { OwnedKey(scope: scope, text: $0.lowercased()) } }
        fileprivate var reference: ReferenceKey? {
            externalID.map { ReferenceKey(tenant: scope.tenant, connection: connection, external: $0) }
        }
    }

    fileprivate struct OwnedKey: Hashable {
        let scope: Scope
        let text: String
    }

    fileprivate struct ReferenceKey: Hashable {
        let tenant: TenantID
        let connection: ID<OrderSource>
        let external: String

        var sorting: (TenantID, ID<OrderSource>, String) { (tenant, connection, external) }
    }

    private let ids: IDGenerator

    package init(ids: IDGenerator) { self.ids = ids }

    /// One customer a buyer, in their order: by the source's id, then by the e-mail address (the oldest of several),
    /// else a new one. Nil for who is told neither by an id nor by an address.
    ///
    /// No further statement when all are known by their ids. Two imports of several copies at once may each make a
    /// customer for one new address: then both are told as duplicates of each other.
    ///
    /// - Parameter known: what was asked for these buyers, and perhaps for others.
    func link(
        _ buyers: [Buyer], _ known: Known, events: EventBuffer, in transaction: any Transaction
    ) throws -> [CustomerID?] {
        var byReference = try known.references.byKey()
        let unknown = buyers.filter { $0.reference.flatMap { byReference[$0] } == nil }
        var byEmail = try customers(withEmails: Set(unknown.compactMap(\.emailKey)), in: transaction)
        var made: [Customer] = []
        var named: [(key: ReferenceKey, customer: CustomerID)] = []
        let found = buyers.map { buyer -> CustomerID? in
            if let key = buyer.reference, let known = byReference[key] {
                return known.scope == buyer.scope ? known.id : nil
            }
            if buyer.email == nil, buyer.externalID == nil { return nil }
            let id: CustomerID
            if let known = buyer.emailKey.flatMap({ byEmail[$0] }) {
                id = known
            } else {
                let customer = customer(buyer, now: events.now)
                made.append(customer)
                id = customer.id
                if let key = buyer.emailKey { byEmail[key] = id }
            }
            if let key = buyer.reference {
                byReference[key] = (id, buyer.scope)
                named.append((key, id))
            }
            return id
        }
        if !made.isEmpty { try CustomerStore.insert(made, in: transaction) }
        try insert(named, now: events.now, in: transaction)
        for customer in made {
            events.append(
                CustomerCreated(customer: customer.payload), scope: customer.scope, actor: .system, source: "import")
        }
        return found
    }

    private func customer(_ buyer: Buyer, now: Timestamp) -> Customer {
        var customer = Customer(id: ids.next(), scope: buyer.scope, kind: .individual, now: now)
        // The last word of a name as a source tells it in one piece; the rest are given names.
        let words = (buyer.name ?? "").split(separator: " ")
        customer.firstName = words.count > 1 ? words.dropLast().joined(separator: " ") : nil
        customer.lastName = words.last.map(String.init)
        customer.email = buyer.email
        if let external = buyer.externalID {
            customer.references = [Customer.Reference(connection: buyer.connection, externalID: external)]
        }
        return customer
    }

    /// The customers that buyers have been known as, by the ids of their sources, once they are waited for.
    struct Known {
        fileprivate let references: Asked<(ReferenceKey, (id: CustomerID, scope: Scope))>
    }

    static func ask(for buyers: [Buyer], in transaction: any Transaction) throws -> Known {
        let keys = Set(buyers.compactMap(\.reference))
        var rows = RowBatch(["tenant": .uuid, "connection": .uuid, "external": .text])
        for key in keys { rows.append(.id(key.tenant), .id(key.connection), .text(key.external)) }
        let references = try transaction.ask(
            """
            SELECT f.tenant_id, f.connection_id, f.external_id, c.id, c.org_id
            FROM {rows} r JOIN customer_reference f
                ON f.tenant_id = r.tenant AND f.connection_id = r.connection AND f.external_id = r.external
            JOIN customer c ON c.id = f.customer_id
            """, rows: rows
        ) { row in
            let key = ReferenceKey(tenant: row.id(0), connection: row.id(1), external: row.text(2))
            let scope = Scope(tenant: key.tenant, organisation: row.id(4))
            return (key, (id: row.id(3, of: Customer.self), scope: scope))
        }
        return Known(references: references)
    }

    private func customers(
        withEmails keys: Set<OwnedKey>, in transaction: any Transaction
    ) throws -> [OwnedKey: CustomerID] {
        var rows = RowBatch(["tenant": .uuid, "organisation": .uuid, "wanted": .text])
        for key in keys { rows.append(.id(key.scope.tenant), .id(key.scope.organisation), .text(key.text)) }
        let found = try transaction.all(
            """
            SELECT c.tenant_id, c.org_id, c.email_key, c.id
            FROM {rows} r JOIN customer c
                ON c.tenant_id = r.tenant AND c.org_id = r.organisation AND c.email_key = r.wanted
                    AND c.deleted_at IS NULL
            """, rows: rows
        ) { row in
            let scope = Scope(tenant: row.id(0), organisation: row.id(1))
            return (OwnedKey(scope: scope, text: row.text(2)), row.id(3, of: Customer.self))
        }
        return Dictionary(found, uniquingKeysWith: { min($0, $1) })
    }

    private func insert(
        _ named: [(key: ReferenceKey, customer: CustomerID)], now: Timestamp, in transaction: any Transaction
    ) throws {
        var rows = RowBatch(["tenant": .uuid, "connection": .uuid, "external": .text, "customer": .uuid])
        // Sorted, so that two imports of the same buyers at once wait for each other and don't meet crosswise.
        for (key, customer) in named.sorted(by: { $0.key.sorting < $1.key.sorting }) {
            rows.append(.id(key.tenant), .id(key.connection), .text(key.external), .id(customer))
        }
        try transaction.execute(
            """
            INSERT INTO customer_reference (tenant_id, connection_id, external_id, customer_id, created_at)
            SELECT tenant, connection, external, customer, $1 FROM {rows} r WHERE true
            ON CONFLICT (tenant_id, connection_id, external_id) DO NOTHING
            """, [.time(now)], rows: rows)
    }
}
