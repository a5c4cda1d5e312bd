import Events
import Kernel
import Storage
import Webhooks

/// The rows of imports, the pieces of their files, and what was wrong in them.
enum ImportStore {
    /// While an import runs its workflow, which has the same id, is pending. Asked by the id alone: PostgreSQL would
    /// otherwise take the index of all pending workflows.
    private static let isGivenUp = """
        state = 'running' AND coalesce(
            (SELECT w.state FROM workflow w WHERE w.id = catalogue_import.id), 'gone') <> 'pending'
        """

    private static let columns = """
        id, tenant_id, org_id, format, currency, dry_run, CASE WHEN \(isGivenUp) THEN 'failed' ELSE state END, source,
        digest, size, position, line, row_count, created_count, updated_count, unchanged_count, refused_count,
        fault_count, requested_by, role, created_at, updated_at, finished_at,
        (SELECT w.reason FROM workflow w WHERE w.id = catalogue_import.id)
        """

    private static func decode(_ row: any Row) -> CatalogueImport {
        var one = CatalogueImport(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)),
            format: CatalogueImport.Format(rawValue: row.text(3)) ?? .csv,
            currency: row.textOrNil(4).flatMap { Currency(code: $0) }, isDryRun: row.flag(5),
            state: CatalogueImport.State(rawValue: row.text(6)) ?? .cancelled, source: row.textOrNil(7),
            digest: row.bytesOrNil(8), size: Int(row.int(9)), position: Int(row.int(10)), line: Int(row.int(11)),
            requestedBy: row.id(18), role: row.text(19), createdAt: row.time(20), updatedAt: row.time(21),
            finishedAt: row.timeOrNil(22))
        one.counts = CatalogueImport.Counts(
            rows: Int(row.int(12)), created: Int(row.int(13)), updated: Int(row.int(14)), unchanged: Int(row.int(15)),
            refused: Int(row.int(16)))
        one.faultCount = Int(row.int(17))
        one.failure = one.state == .failed ? row.textOrNil(23) ?? "its workflow is gone" : nil
        return one
    }

    // MARK: Imports

    static func insert(_ one: CatalogueImport, key: String?, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO catalogue_import (id, tenant_id, org_id, format, currency, dry_run, state, idempotency_key,
                size, position, line, row_count, created_count, updated_count, unchanged_count, refused_count,
                fault_count, requested_by, role, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, 'uploading', $7, 0, 0, 1, 0, 0, 0, 0, 0, 0, $8, $9, $10, $10)
            """,
            [
                .id(one.id), .id(one.scope.tenant), .id(one.scope.organisation), .text(one.format.rawValue),
                .text(one.currency?.code), .flag(one.isDryRun), .text(key), .id(one.requestedBy), .text(one.role),
                .time(one.createdAt),
            ])
    }

    static func fetch(_ id: ImportID, scope: Scope, in transaction: any Transaction) throws -> CatalogueImport? {
        try transaction.first(
            Statement(
                composed: "SELECT \(columns) FROM catalogue_import WHERE id = $1 AND tenant_id = $2 AND org_id = $3"),
            [.id(id), .id(scope.tenant), .id(scope.organisation)], decode)
    }

    /// The same for whoever is going to change it: the row stays locked to the end of the transaction.
    static func hold(_ id: ImportID, scope: Scope, in transaction: any Transaction) throws -> CatalogueImport? {
        try transaction.first(
            Statement(
                composed: """
                    SELECT \(columns) FROM catalogue_import
                    WHERE id = $1 AND tenant_id = $2 AND org_id = $3 {for update}
                    """), [.id(id), .id(scope.tenant), .id(scope.organisation)], decode)
    }

    static func holder(
        ofKey key: String, scope: Scope, in transaction: any Transaction
    ) throws -> CatalogueImport? {
        try transaction.first(
            Statement(
                composed: """
                    SELECT \(columns) FROM catalogue_import
                    WHERE tenant_id = $1 AND org_id = $2 AND idempotency_key = $3 {for update}
                    """), [.id(scope.tenant), .id(scope.organisation), .text(key)], decode)
    }

    static func openCount(tenant: TenantID, in transaction: any Transaction) throws -> Int {
        // The tenant's row is locked first, so that two that are opened at once can't both be the last one allowed.
        try TenantLock.take(tenant, in: transaction)
        return try transaction.first(
            """
            SELECT count(*) FROM catalogue_import
            WHERE tenant_id = $1 AND state IN ('uploading', 'running', 'paused')
            """, [.id(tenant)]
        ) { Int($0.int(0)) } ?? 0
    }

    /// Newest first.
    static func list(
        scope: Scope, before: ImportID?, limit: Int, in transaction: any Transaction
    ) throws -> [CatalogueImport] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM catalogue_import
                    WHERE tenant_id = $1 AND org_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4
                    """),
            [
                .id(scope.tenant), .id(scope.organisation), .id(before ?? ImportID(high: .max, low: .max)),
                .int(limit),
            ], decode)
    }

    /// Writes what can change of an import.
    static func update(_ one: CatalogueImport, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE catalogue_import SET state = $2, source = $3, digest = $4, size = $5, position = $6, line = $7,
                row_count = $8, created_count = $9, updated_count = $10, unchanged_count = $11, refused_count = $12,
                fault_count = $13, updated_at = $14, finished_at = $15
            WHERE id = $1
            """,
            [
                .id(one.id), .text(one.state.rawValue), .text(one.source), .bytes(one.digest), .int(one.size),
                .int(one.position), .int(one.line), .int(one.counts.rows), .int(one.counts.created),
                .int(one.counts.updated), .int(one.counts.unchanged), .int(one.counts.refused), .int(one.faultCount),
                .time(one.updatedAt), .time(one.finishedAt),
            ])
    }

    static func remove(_ id: ImportID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM catalogue_import WHERE id = $1", [.id(id)])
    }

    /// Removes one import that nothing has happened to since a time; false when there is none.
    static func removeOne(
        untouchedSince time: Timestamp, isUploading: Bool, in transaction: any Transaction
    ) throws -> Bool {
        let isOver = isUploading ? "state = 'uploading'" : "(state IN ('completed', 'cancelled') OR \(isGivenUp))"
        return try transaction.executeCounting(
            Statement(
                composed: """
                    DELETE FROM catalogue_import WHERE id IN (
                        SELECT id FROM catalogue_import WHERE updated_at < $1 AND \(isOver)
                        ORDER BY updated_at LIMIT 1)
                    """), [.time(time)]) > 0
    }

    // MARK: Pieces

    static func append(
        _ bytes: [UInt8], at position: Int, to id: ImportID, now: Timestamp, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            "INSERT INTO import_piece (import_id, position, content) VALUES ($1, $2, $3)",
            [.id(id), .int(position), .bytes(bytes)])
        try transaction.execute(
            "UPDATE catalogue_import SET size = $2, updated_at = $3 WHERE id = $1",
            [.id(id), .int(position + bytes.count), .time(now)])
    }

    /// The piece that a byte of the file is in, and where that piece begins.
    static func piece(
        of id: ImportID, at position: Int, in transaction: any Transaction
    ) throws -> (position: Int, bytes: [UInt8])? {
        try transaction.first(
            """
            SELECT position, content FROM import_piece WHERE import_id = $1 AND position <= $2
            ORDER BY position DESC LIMIT 1
            """, [.id(id), .int(position)]
        ) { (Int($0.int(0)), $0.bytes(1)) }
    }

    /// Removes pieces that lie wholly before a byte, but for the first: it says how the others are to be read.
    static func dropPieces(of id: ImportID, before position: Int, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM import_piece WHERE import_id = $1 AND position > 0 AND position < (
                SELECT max(p.position) FROM import_piece p WHERE p.import_id = $1 AND p.position <= $2)
            """, [.id(id), .int(position)])
    }

    /// Removes the file and what was noted of its SKUs; what was wrong with it stays to be read.
    static func dropFile(of id: ImportID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM import_piece WHERE import_id = $1", [.id(id)])
        try transaction.execute("DELETE FROM import_sku WHERE import_id = $1", [.id(id)])
    }

    // MARK: SKUs and faults

    /// The lines that named some SKUs before.
    static func lines(
        ofSKUs skus: [String], in id: ImportID, in transaction: any Transaction
    ) throws -> [String: Int] {
        var rows = RowBatch(["wanted": .text])
        for sku in skus { rows.append(.text(sku)) }
        let found = try transaction.all(
            """
            SELECT s.sku, s.line FROM {rows} r JOIN import_sku s ON s.import_id = $1 AND s.sku = r.wanted
            """, [.id(id)], rows: rows
        ) { ($0.text(0), Int($0.int(1))) }
        return Dictionary(found) { first, _ in first }
    }

    static func note(_ skus: [(sku: String, line: Int)], of id: ImportID, in transaction: any Transaction) throws {
        if skus.isEmpty { return }
        var rows = RowBatch(["named": .text, "at": .int])
        for (sku, line) in skus { rows.append(.text(sku), .int(line)) }
        try transaction.execute(
            "INSERT INTO import_sku (import_id, sku, line) SELECT $1, named, at FROM {rows} r", [.id(id)], rows: rows)
    }

    static func insert(
        _ faults: [ImportFault], behind count: Int, of id: ImportID, in transaction: any Transaction
    ) throws {
        if faults.isEmpty { return }
        var rows = RowBatch(["at": .int, "of_line": .int, "of_field": .text, "why": .text])
        for (index, fault) in faults.enumerated() {
            rows.append(
                .int(count + index + 1), .int(fault.line), .text(fault.field.map { String($0.prefix(300)) }),
                .text(String(fault.reason.prefix(1000))))
        }
        try transaction.execute(
            """
            INSERT INTO import_fault (import_id, number, line, field, reason)
            SELECT $1, at, of_line, of_field, why FROM {rows} r
            """, [.id(id)], rows: rows)
    }

    /// A page of what was wrong, in the order of the file, with the numbers that cursors are made of.
    static func faults(
        of id: ImportID, after number: Int, limit: Int, in transaction: any Transaction
    ) throws -> [(number: Int, fault: ImportFault)] {
        try transaction.all(
            """
            SELECT number, line, field, reason FROM import_fault WHERE import_id = $1 AND number > $2
            ORDER BY number LIMIT $3
            """, [.id(id), .int(number), .int(limit)]
        ) {
            (Int($0.int(0)), ImportFault(line: Int($0.int(1)), field: $0.textOrNil(2), reason: $0.text(3)))
        }
    }
}
