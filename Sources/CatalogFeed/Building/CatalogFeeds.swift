import Commerce
import Events
import Kernel
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// The feeds of this copy of the server: built when first asked for, then kept up with the catalogue for as long as
/// anybody asks. Meanwhile, and when building fails, the state before is what readers get.
///
/// Copies share nothing but the store. They need not: the same catalogue gives the same bytes and the same entity tags
/// in each.
package final class CatalogFeeds: Service {
    private struct Held {
        var file: FeedFile
        var askedAt: Timestamp
    }

    private struct State {
        var held: [Scope: Held] = [:]
        var builds: [Scope: Task<FeedFile, any Error>] = [:]
    }

    /// How long after the last reader a feed is still kept up; the next one then waits for what it missed.
    private static let attention: Duration = .seconds(24 * 3600)
    /// How long after a new state the next one is put off: the first of some changes is shown at once, and those that
    /// follow it closely share one. A bulk change would otherwise make hundreds.
    private static let gathering: Duration = .milliseconds(300)
    /// How often the store is asked, because changes of other copies ring no bell here.
    private static let patience: Duration = .seconds(1)

    private let builder: FeedBuilder
    private let folder: FeedFolder
    private let bell: Doorbell
    private let time: TimeSource
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - directory: where the files lie; it is made when the first is.
    ///   - bell: rings after changes of this process.
    package init(
        database: any Database, directory: String, bell: Doorbell, ids: IDGenerator = IDGenerator(),
        time: TimeSource = .system, logger: Logger
    ) {
        folder = FeedFolder(root: directory)
        builder = FeedBuilder(source: CatalogFeedSource(database: database), folder: folder, ids: ids)
        self.bell = bell
        self.time = time
        self.logger = logger
    }

    // MARK: Asking

    /// The feed as it was last built here; the first to ask waits for that, or for what was missed while nobody did.
    package func file(of scope: Scope) async throws -> FeedFile {
        let now = time.now()
        let held = state.withLock { state in
            state.held[scope]?.askedAt = now
            return state.held[scope]?.file
        }
        if let held { return held }
        return try await refresh(scope)
    }

    /// The feed with its data file open: what is read from it stays right whatever is built meanwhile.
    package func open(_ scope: Scope) async throws -> (file: FeedFile, data: DataFile) {
        let file = try await file(of: scope)
        do {
            return (file, try file.open())
        } catch  where error.isMissing {
            // Replaced between the two steps, or cleared away by somebody: either way there is a newer one to be had.
            let newer = try await refresh(scope)
            return (newer, try newer.open())
        }
    }

    /// Builds the newest state, once for all who ask meanwhile.
    @discardableResult
    package func refresh(_ scope: Scope) async throws -> FeedFile {
        let build = state.withLock { state in
            if let running = state.builds[scope] { return running }
            let old = state.held[scope]?.file
            let build = Task { try await self.built(scope, from: old) }
            state.builds[scope] = build
            return build
        }
        return try await build.value
    }

    private func built(_ scope: Scope, from old: FeedFile?) async throws -> FeedFile {
        let outcome: Result<FeedFile, any Error>
        do { outcome = .success(try await builder.build(scope, from: try old ?? stored(scope))) } catch {
            outcome = .failure(error)
        }
        let now = time.now()
        state.withLock { state in
            state.builds[scope] = nil
            guard case .success(let file) = outcome else { return }
            state.held[scope] = Held(file: file, askedAt: state.held[scope]?.askedAt ?? now)
        }
        return try outcome.get()
    }

    /// What an earlier process left.
    private func stored(_ scope: Scope) throws -> FeedFile? {
        guard let manifest = try folder.manifest(scope) else { return nil }
        return FeedFile(
            scope: scope, manifest: manifest, dataPath: folder.dataPath(manifest.dataName, scope), isOwn: false)
    }

    // MARK: Keeping up

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.bell.wait(upTo: Self.patience)
                if Task.isCancelled { break }
                if await self.keepUp().isEmpty { continue }
                do { try await Task.sleep(for: Self.gathering) } catch { break }
            }
        }
    }

    /// Builds what has moved on since it was built; returns whose feeds those are.
    @discardableResult
    package func keepUp() async -> [Scope] {
        let oldest = time.now() - Self.attention
        let built = state.withLock { state in
            state.held = state.held.filter { $0.value.askedAt >= oldest }
            return state.held.mapValues(\.file.manifest)
        }
        if built.isEmpty { return [] }
        var done: [Scope] = []
        do {
            for scope in try await builder.source.stale(built) {
                if await keepUp(scope) { done.append(scope) }
            }
        } catch {
            logger.warning("catalogue feeds could not be compared with the store", metadata: ["error": "\(error)"])
        }
        return done
    }

    /// One feed that fails keeps no other from being built; its state before stands, and its next turn comes.
    private func keepUp(_ scope: Scope) async -> Bool {
        do {
            try await refresh(scope)
            return true
        } catch {
            logger.warning(
                "building a catalogue feed failed",
                metadata: ["tenant_id": "\(scope.tenant)", "org_id": "\(scope.organisation)", "error": "\(error)"])
            return false
        }
    }
}
