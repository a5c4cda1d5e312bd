import Events
import Kernel
import Storage

/// Reads and changes what sellers say of themselves.
package struct FeedSettingService: Sendable {
    private let database: any Database
    private let time: TimeSource

    package init(database: any Database, time: TimeSource = .system) {
        self.database = database
        self.time = time
    }

    /// What is set; all empty before anything was.
    package func settings(_ scope: Scope) async throws -> FeedSettings {
        try await database.read { try FeedSettingStore.fetch(scope, in: $0)?.settings } ?? FeedSettings()
    }

    /// Sets all of it at once. Feeds that exist are built anew with it within seconds.
    package func set(_ settings: FeedSettings, _ scope: Scope) async throws {
        let now = time.now()
        try await database.write { try FeedSettingStore.store(settings, scope, now: now, in: $0) }
    }
}
