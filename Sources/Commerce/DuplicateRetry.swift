import Storage
import Webhooks

/// Runs a transaction once more when a unique index refuses a row that another one committed in the meantime: the
/// second run finds that row by its own look and says what follows from it.
///
/// SQLite has one writer and never needs it; on PostgreSQL two transactions may both look first and then insert.
package func againAfterDuplicate<T>(_ write: () async throws -> T) async throws -> T {
    do {
        return try await write()
    } catch let error as StorageError {
        guard case .constraint = error.code else { throw error }
        return try await write()
    }
}

extension EventPublisher {
    /// `write`, run again after a duplicate.
    package func writeAgainAfterDuplicate<T: Sendable>(
        _ lane: Lane = .interactive, _ body: @escaping @Sendable (any Transaction, EventBuffer) throws -> T
    ) async throws -> T {
        try await againAfterDuplicate { try await write(lane, body) }
    }
}
