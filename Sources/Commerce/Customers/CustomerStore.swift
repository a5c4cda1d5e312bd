import Events
import Kernel
import Storage

/// The rows of customers. Each read names the owner; what is written was locked before.
enum CustomerStore {
    private static let columns = """
        c.id, c.tenant_id, c.org_id, c.kind, c.status, c.first_name, c.last_name, c.company_name, c.email, c.phone,
        c.notes, c.lifetime_minor, c.lifetime_currency, c.assigned_to, c.details, c.version, c.created_at,
        c.updated_at, c.erased_at
        """

    private static func customer(_ row: any Row) -> Customer {
        var customer = Customer(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)),
            kind: Customer.Kind(rawValue: row.text(3)) ?? .individual, now: row.time(16))
        customer.status = Customer.Status(rawValue: row.text(4)) ?? .inactive
        customer.firstName = row.textOrNil(5)
        customer.lastName = row.textOrNil(6)
        customer.companyName = row.textOrNil(7)
        customer.email = row.textOrNil(8)
        customer.phone = row.textOrNil(9)
        customer.notes = row.textOrNil(10)
        if let currency = row.textOrNil(12).flatMap({ Currency(code: $0) }) {
            customer.lifetimeValue = row.intOrNil(11).map { Money(minorUnits: $0, currency: currency) }
        }
        customer.assignedTo = row.idOrNil(13)
        customer.keptDetails = row.bytesOrNil(14)
        customer.version = row.int(15)
        customer.updatedAt = row.time(17)
        customer.erasedAt = row.timeOrNil(18)
        return customer
    }

    // MARK: Reading

    /// A customer that is not deleted. `isLocked` holds its row to the end of the transaction, so that changes come
    /// one after the other.
    static func fetch(
        _ id: CustomerID, scope: Scope, isLocked: Bool = false, withDeleted: Bool = false,
        in transaction: any Transaction
    ) throws -> Customer? {
        let rest = (withDeleted ? "" : " AND c.deleted_at IS NULL") + (isLocked ? " {for update}" : "")
        return try customers(
            "FROM customer c WHERE c.id = $3 AND c.tenant_id = $1 AND c.org_id = $2\(rest)",
            [.id(scope.tenant), .id(scope.organisation), .id(id)], in: transaction
        ).first
    }

    /// What a statement finds that begins with its FROM and calls the table `c`, each with its references.
    static func customers(
        _ rest: String, _ arguments: [SQLValue], in transaction: any Transaction
    ) throws -> [Customer] {
        var found = try transaction.all(Statement(composed: "SELECT \(columns) \(rest)"), arguments, customer)
        if found.isEmpty { return found }
        let rows = RowBatch(wanted: found.lazy.map(\.id))
        var references: [CustomerID: [Customer.Reference]] = [:]
        try transaction.run(
            """
            SELECT customer_id, connection_id, external_id FROM customer_reference
            WHERE customer_id IN (SELECT wanted FROM {rows} r) ORDER BY customer_id, created_at, external_id
            """, [], rows: rows
        ) { row in
            references[row.id(0), default: []].append(
                Customer.Reference(connection: row.id(1), externalID: row.text(2)))
        }
        // While its erasure goes on a customer still has references, for imports alone.
        for index in found.indices where found[index].erasedAt == nil {
            found[index].references = references[found[index].id] ?? []
        }
        return found
    }

    /// Others with the same e-mail address, oldest first.
    static func namesakes(
        of customer: Customer, limit: Int, in transaction: any Transaction
    ) throws -> [CustomerID] {
        guard let email = customer.emailKey else { return [] }
        return try transaction.all(
            """
            SELECT id FROM customer WHERE tenant_id = $1 AND org_id = $2 AND email_key = $3 AND deleted_at IS NULL
                AND erased_at IS NULL AND id <> $4
            ORDER BY id LIMIT $5
            """,
            [
                .id(customer.scope.tenant), .id(customer.scope.organisation), .text(email), .id(customer.id),
                .int(limit),
            ]
        ) { $0.id(0) }
    }

    // MARK: Writing

    private static var rows: RowBatch {
        RowBatch([
            "row_id": .uuid, "tenant": .uuid, "organisation": .uuid, "new_kind": .text, "new_status": .text,
            "first": .text, "last": .text, "company": .text, "new_email": .text, "new_email_key": .text,
            "new_phone": .text, "new_notes": .text, "lifetime": .int, "new_currency": .text, "assignee": .uuid,
            "new_details": .bytes, "new_version": .int, "made": .int, "changed": .int, "erased": .int,
        ])
    }

    private static func append(_ customer: Customer, to rows: inout RowBatch) {
        rows.append(
            .id(customer.id), .id(customer.scope.tenant), .id(customer.scope.organisation),
            .text(customer.kind.rawValue), .text(customer.status.rawValue), .text(customer.firstName),
            .text(customer.lastName), .text(customer.companyName), .text(customer.email), .text(customer.emailKey),
            .text(customer.phone), .text(customer.notes), .int(customer.lifetimeValue?.minorUnits),
            .text(customer.lifetimeValue?.currency.code), .id(customer.assignedTo), .bytes(customer.keptDetails),
            .int(customer.version), .time(customer.createdAt), .time(customer.updatedAt), .time(customer.erasedAt))
    }

    static func insert(_ customers: [Customer], in transaction: any Transaction) throws {
        var rows = rows
        for customer in customers { append(customer, to: &rows) }
        try transaction.execute(
            """
            INSERT INTO customer (id, tenant_id, org_id, kind, status, first_name, last_name, company_name, email,
                email_key, phone, notes, lifetime_minor, lifetime_currency, assigned_to, details, version, created_at,
                updated_at)
            SELECT row_id, tenant, organisation, new_kind, new_status, first, last, company, new_email, new_email_key,
                new_phone, new_notes, lifetime, new_currency, assignee, new_details, new_version, made, changed
            FROM {rows} r
            """, rows: rows)
        try CustomerWordStore.insert(customers.map { ($0, $0.words) }, in: transaction)
    }

    static func update(_ customer: Customer, was old: Customer, in transaction: any Transaction) throws {
        var rows = rows
        append(customer, to: &rows)
        try transaction.execute(
            """
            UPDATE customer SET status = r.new_status, first_name = r.first, last_name = r.last,
                company_name = r.company, email = r.new_email, email_key = r.new_email_key, phone = r.new_phone,
                notes = r.new_notes, lifetime_minor = r.lifetime, lifetime_currency = r.new_currency,
                assigned_to = r.assignee, details = r.new_details, version = r.new_version, updated_at = r.changed,
                erased_at = r.erased
            FROM {rows} r WHERE id = r.row_id
            """, rows: rows)
        let (before, after) = (old.words, customer.words)
        try CustomerWordStore.remove(before.subtracting(after), of: customer, in: transaction)
        try CustomerWordStore.insert([(customer, after.subtracting(before))], in: transaction)
    }

    /// Deletes a customer: its row stays for the orders that name it, and no search finds it.
    static func delete(_ customer: Customer, now: Timestamp, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE customer SET deleted_at = $2, updated_at = $2 WHERE id = $1", [.id(customer.id), .time(now)])
        try forgetReferences(of: customer.id, in: transaction)
        try CustomerWordStore.remove(customer.words, of: customer, in: transaction)
    }

    static func forgetReferences(of id: CustomerID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM customer_reference WHERE customer_id = $1", [.id(id)])
    }
}

/// The rows by which the text search finds customers.
enum CustomerWordStore {
    static func insert(_ words: [(customer: Customer, words: Set<String>)], in transaction: any Transaction) throws {
        var rows = RowBatch(["word": .text, "customer_id": .uuid, "tenant_id": .uuid, "org_id": .uuid])
        for (customer, words) in words {
            for word in words.sorted() {
                rows.append(
                    .text(word), .id(customer.id), .id(customer.scope.tenant), .id(customer.scope.organisation))
            }
        }
        try transaction.execute(
            """
            INSERT INTO customer_word (tenant_id, org_id, word, customer_id)
            SELECT tenant_id, org_id, word, customer_id FROM {rows} r
            """, rows: rows)
    }

    static func remove(_ words: Set<String>, of customer: Customer, in transaction: any Transaction) throws {
        var rows = RowBatch(["gone": .text])
        for word in words { rows.append(.text(word)) }
        try transaction.execute(
            """
            DELETE FROM customer_word WHERE tenant_id = $1 AND org_id = $2 AND customer_id = $3
                AND word IN (SELECT gone FROM {rows} r)
            """, [.id(customer.scope.tenant), .id(customer.scope.organisation), .id(customer.id)], rows: rows)
    }
}
