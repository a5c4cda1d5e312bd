import Kernel
import Storage

/// A part of a file that is written as one transaction.
struct ImportBatch: Sendable {
    /// Where it begins, and where the first record behind it does.
    let start: Int
    var end: Int
    var line: Int
    var drafts: [ImportDraft] = []
    var faults: [ImportFault] = []
    /// Records that could not be read at all.
    var unreadable = 0
    var isLast = false
}

/// Puts records into batches that are cut between products only. Pure.
struct ImportBatcher: Sendable {
    /// Rows of one transaction: what follows from each row of it costs a part of a statement.
    static let rowsAimed = 500
    /// Rows at which a batch ends even within one product, which no store's own bound on variants lets happen.
    static let rowsMost = 4 * Limits.productVariants

    private let layout: ImportLayout
    private let currency: Currency?
    private let aimed: Int
    private var batch: ImportBatch
    private var group: [ImportDraft] = []

    init(_ layout: ImportLayout, currency: Currency?, at position: Int, line: Int, aimed: Int = rowsAimed) {
        self.layout = layout
        self.currency = currency
        self.aimed = aimed
        batch = ImportBatch(start: position, end: position, line: line)
    }

    /// Takes a record in; answers a batch when the record belongs to the next one.
    mutating func add(_ record: Record) -> ImportBatch? {
        let entry = layout.entry(record, currency: currency)
        var full: ImportBatch?
        let rows = batch.drafts.count + group.count + batch.unreadable
        if case .drafts(let drafts) = entry, drafts.first?.group == group.first?.group, rows < Self.rowsMost {
            group += drafts
            return nil
        }
        if rows >= aimed { full = cut(before: record.offset, line: record.line) }
        switch entry {
        case .drafts(let drafts):
            settle()
            group = drafts
        case .faults(let faults):
            batch.faults += faults
            batch.unreadable += 1
        case .nothing: break
        }
        return full
    }

    /// What is left at the end of the file, which may be nothing.
    mutating func finish(at position: Int, line: Int) -> ImportBatch {
        var last = cut(before: position, line: line)
        last.isLast = true
        return last
    }

    private mutating func cut(before position: Int, line: Int) -> ImportBatch {
        settle()
        var full = batch
        full.end = position
        full.line = line
        batch = ImportBatch(start: position, end: position, line: line)
        return full
    }

    private mutating func settle() {
        if group.isEmpty { return }
        layout.settle(&group)
        batch.drafts += group
        group = []
    }
}

/// Reads a file's pieces from the store, and gives batch after batch.
struct ImportReader {
    let layout: ImportLayout
    private let id: ImportID
    private let size: Int
    private let database: any Database
    private var parser: RecordParser
    private var batcher: ImportBatcher
    private var next: Int
    private var isFed = false

    /// Begins at the first record that is not dealt with yet.
    init(_ one: CatalogueImport, database: any Database) async throws {
        let id = one.id
        guard let head = try await database.read(.background, { try ImportStore.piece(of: id, at: 0, in: $0) }) else {
            throw StorageError(.corrupt, "the first piece of an import is missing")
        }
        layout = try ImportLayout(one.format, head: head.bytes, isWhole: head.bytes.count == one.size)
        let start = max(one.position, layout.offset)
        let line = max(one.line, layout.line)
        self.id = id
        self.database = database
        size = one.size
        next = start
        parser = RecordParser(layout.grammar, offset: start, line: line)
        batcher = ImportBatcher(layout, currency: one.currency, at: one.position, line: line)
    }

    mutating func nextBatch() async throws -> ImportBatch {
        while true {
            while let record = parser.next() { if let batch = batcher.add(record) { return batch } }
            if isFed { return batcher.finish(at: size, line: parser.line) }
            try await feed()
        }
    }

    private mutating func feed() async throws {
        if next < size {
            let (id, position) = (id, next)
            let found = try await database.read(.background) { try ImportStore.piece(of: id, at: position, in: $0) }
            guard let piece = found, piece.position + piece.bytes.count > position else {
                throw StorageError(.corrupt, "a piece of an import is missing at byte \(position)")
            }
            parser.feed(piece.bytes[(position - piece.position)...])
            next = piece.position + piece.bytes.count
        }
        if next >= size {
            parser.finish()
            isFed = true
        }
    }
}
