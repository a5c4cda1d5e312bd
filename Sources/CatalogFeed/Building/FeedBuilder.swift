import Commerce
import Events
import Kernel

/// Builds feeds: whole ones in one pass over the catalogue, and newer states of existing ones from what changed.
struct FeedBuilder: Sendable {
    let source: CatalogFeedSource
    let folder: FeedFolder
    let ids: IDGenerator

    /// Segments that are rendered and compressed at once: one for each of two processors, and one that waits its turn.
    private static let windowLimit = 3
    /// Dead bytes that a data file may have before it is written anew: as many as live ones, and a little for small
    /// catalogues.
    private static let spareBytes = 4 << 20

    private enum DataRow {}

    private func newName() -> String { "segments-\(ids.next(DataRow.self))" }

    /// The feed as the catalogue stands now, or newer. `old` is carried on where that is less work.
    func build(_ scope: Scope, from old: FeedFile?) async throws -> FeedFile {
        let state = try await source.state(scope)
        guard let old, old.manifest.settings == state.settings else { return try await rebuild(scope, state) }
        do {
            return try await update(old, to: state)
        } catch is DamagedFeed {
            return try await rebuild(scope, state)
        } catch let fault as FeedFileFault where fault.isMissing {
            return try await rebuild(scope, state)
        }
    }

    private func manifest(_ state: CatalogFeedSource.State) -> FeedManifest {
        FeedManifest(
            settings: state.settings, settingsVersion: state.settingsVersion, sequence: state.sequence,
            changedAt: state.changedAt, dataName: "", segments: [])
    }

    // MARK: Whole

    /// Reads page after page while earlier segments are rendered beside it, so that memory holds a few of each only.
    ///
    /// Changes that are made during the pass have numbers above `state.sequence`, and are carried in by the next update
    /// whether the pass saw them or not.
    private func rebuild(_ scope: Scope, _ state: CatalogFeedSource.State) async throws -> FeedFile {
        let renderer = ProductRenderer(scope: scope, settings: state.settings)
        var writer = try FeedWriter(new: newName(), scope, in: folder)
        var window: [Task<SealedSegment?, Never>] = []
        func begin(_ entries: [CatalogueEntry]) async throws {
            if window.count == Self.windowLimit, let sealed = await window.removeFirst().value {
                try writer.add(sealed)
            }
            // Below the priority of requests: a rebuild has seconds, an answer has milliseconds.
            window.append(
                Task.detached(priority: .utility) { SealedSegment(entries.map { renderer.render($0) }) })
        }
        var open: [CatalogueEntry] = []
        var after: ProductID?
        while true {
            let page = try await source.page(after: after, scope)
            for entry in page {
                open.append(entry)
                if FeedSegment.ends(after: entry.id, weight: RenderedProduct.weight(entry)) {
                    try await begin(open)
                    open = []
                }
            }
            if page.count < CatalogFeedSource.pageRows { break }
            after = page.last?.id
        }
        if !open.isEmpty { try await begin(open) }
        for task in window { if let sealed = await task.value { try writer.add(sealed) } }
        return try writer.finish(manifest(state), scope, in: folder)
    }

    // MARK: What changed

    private func update(_ old: FeedFile, to state: CatalogFeedSource.State) async throws -> FeedFile {
        let scope = old.scope
        let renderer = ProductRenderer(scope: scope, settings: state.settings)
        var edits: [ProductID: RenderedProduct?] = [:]
        var newest = state
        newest.sequence = old.manifest.sequence
        while true {
            let changes = try await source.changes(after: newest.sequence, scope)
            let ids = changes.map(\.product)
            for id in ids { edits[id] = .some(nil) }
            for entry in try await source.entries(ids, scope) { edits[entry.id] = renderer.render(entry) }
            if let last = changes.last { (newest.sequence, newest.sequenceAt) = (last.sequence, last.changedAt) }
            if changes.count < CatalogFeedSource.pageRows { break }
            // Most of it is new: one pass over everything is less work, and bounded in memory.
            if edits.count > 1000 + old.manifest.productCount / 4 { return try await rebuild(scope, state) }
        }
        return try await Task.detached(priority: .utility) { [edits, newest] in
            try carry(edits, into: old, newest)
        }.value
    }

    private func carry(
        _ edits: [ProductID: RenderedProduct?], into old: FeedFile, _ state: CatalogFeedSource.State
    ) throws -> FeedFile {
        let data = try old.open()
        let dead = try data.count() - old.manifest.liveBytes
        // Another process may be appending to a file that this one did not make.
        var writer =
            old.isOwn && dead < old.manifest.liveBytes + Self.spareBytes
            ? try FeedWriter(appendingTo: old)
            : try FeedWriter(new: newName(), old.scope, in: folder, copyingFrom: data)
        var resegmenter = Resegmenter()
        try resegmenter.run(
            old.manifest.segments, edits: edits, load: { try old.products(of: $0, in: data) },
            emit: { output in
                switch output {
                case .kept(let segment): try writer.keep(segment)
                case .cut(let sealed): try writer.add(sealed)
                }
            })
        return try writer.finish(manifest(state), old.scope, in: folder)
    }
}
