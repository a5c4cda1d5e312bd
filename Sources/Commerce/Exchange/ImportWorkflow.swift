import Durable
import Events
import Kernel
import Storage
import Webhooks

/// Brings the rows of a catalogue file into the catalogue, some hundreds in a transaction.
///
/// Rows, their events, what was wrong with them and how far the file was read are written together: a crash neither
/// repeats nor misses one.
package struct ImportWorkflow: WorkflowKind {
    /// An import's workflow has the import's own id.
    package static let kind = "catalogue_import"
    /// How long a turn goes on over one import before others may have theirs.
    private static let turn: Duration = .seconds(2)

    package let name = ImportWorkflow.kind
    package let batchLimit = 1
    package let retry = RetryPolicy.local

    private let publisher: EventPublisher
    private let writer: CatalogueWriter
    private let changes: CatalogueChanges
    private let time: TimeSource

    package init(
        publisher: EventPublisher, rematch: WorkflowRunner, changes: CatalogueChanges, ids: IDGenerator,
        time: TimeSource
    ) {
        self.publisher = publisher
        self.changes = changes
        self.time = time
        writer = CatalogueWriter(ids: ids, rematch: rematch)
    }

    package func perform(_ batch: [WorkflowClaim]) async throws {
        for claim in batch { try await perform(claim) }
    }

    private func perform(_ claim: WorkflowClaim) async throws {
        let scope = Scope(tenant: claim.tenant, organisation: claim.organisation)
        let found = try await publisher.database.read(.background) { transaction in
            try ImportStore.fetch(claim.id.cast(), scope: scope, in: transaction)
        }
        guard let one = found, one.state == .running else {
            return try await settle(claim, as: found?.state.rawValue ?? "cancelled")
        }
        var reader = try await ImportReader(one, database: publisher.database)
        let end = ContinuousClock.now + Self.turn
        while ContinuousClock.now < end, !Task.isCancelled {
            if try await !step(try await reader.nextBatch(), layout: reader.layout, of: claim) { return }
        }
        let due = time.now()
        try await publisher.database.write(.background) {
            try WorkflowStore.giveBack([claim], due: due, in: $0)
        }
    }

    private func settle(_ claim: WorkflowClaim, as outcome: String) async throws {
        let now = time.now()
        try await publisher.database.write(.background) { transaction in
            try WorkflowStore.settle(
                [(claim, .completed(outcome: outcome, reason: nil, result: nil))], now: now, in: transaction)
        }
    }

    /// Writes one batch; false when the import doesn't go on from here.
    func step(_ batch: ImportBatch, layout: ImportLayout, of claim: WorkflowClaim) async throws -> Bool {
        let rows = batch.drafts.map { ImportRow($0, layout: layout) }
        let writer = writer
        let goesOn = try await publisher.writeAgainAfterDuplicate(.background) { transaction, events in
            let goesOn = try Self.write(batch, rows, layout, writer, claim, events: events, in: transaction)
            CrashPoint.reach(.midImport)
            return goesOn
        }
        changes.ring()
        return goesOn
    }

    private static func write(
        _ batch: ImportBatch, _ rows: [ImportRow], _ layout: ImportLayout, _ writer: CatalogueWriter,
        _ claim: WorkflowClaim, events: EventBuffer, in transaction: any Transaction
    ) throws -> Bool {
        guard try WorkflowStore.renew([claim], in: transaction).contains(claim.id) else {
            throw LostClaim(id: claim.id)
        }
        func settle(_ outcome: String) throws -> Bool {
            try WorkflowStore.settle(
                [(claim, .completed(outcome: outcome, reason: nil, result: nil))], now: events.now, in: transaction)
            return false
        }
        let scope = Scope(tenant: claim.tenant, organisation: claim.organisation)
        guard var one = try ImportStore.hold(claim.id.cast(), scope: scope, in: transaction), one.state == .running
        else { return try settle("stopped") }
        // Another copy has been here meanwhile: it wrote what this one has read.
        guard one.position == batch.start else { throw LostClaim(id: claim.id) }

        var slice = ImportSlice(rows, layout: layout, of: one)
        try slice.write(with: writer, events: events, in: transaction)
        let faults = (batch.faults + slice.faults).sorted { $0.line < $1.line }
        try ImportStore.insert(faults, behind: one.faultCount, of: one.id, in: transaction)
        one.faultCount += faults.count
        one.counts.rows += rows.count + batch.unreadable
        one.counts.refused += slice.counts.refused + batch.unreadable
        one.counts.created += slice.counts.created
        one.counts.updated += slice.counts.updated
        one.counts.unchanged += slice.counts.unchanged
        one.position = batch.end
        one.line = batch.line
        one.updatedAt = events.now
        if batch.isLast {
            one.state = .completed
            one.finishedAt = events.now
            try ImportStore.dropFile(of: one.id, in: transaction)
        } else {
            try ImportStore.dropPieces(of: one.id, before: one.position, in: transaction)
        }
        try ImportStore.update(one, in: transaction)
        return batch.isLast ? try settle("completed") : true
    }
}
