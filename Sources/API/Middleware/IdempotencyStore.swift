import Events
import Kernel
import Signing
import Storage

/// An answer as it is given again.
struct StoredAnswer: Sendable {
    let status: Int
    let contentType: String?
    let body: [UInt8]
}

/// What became of an `Idempotency-Key` that a call came with.
enum IdempotencyClaim: Sendable {
    /// The caller is the first: the call is to run, and its end to be reported under this claim.
    case run(Timestamp)
    case replay(StoredAnswer)
    /// The first call with this key still runs.
    case running
    /// The key was used for another request.
    case otherRequest
}

/// Keeps the answers of calls that named an `Idempotency-Key`. Answers are sealed, because some show a secret for the
/// only time.
package final class IdempotencyStore: Sendable {
    /// How long a key is kept for its request.
    private static let retention: Duration = .seconds(24 * 3600)
    /// After this a call that never ended is taken to have died with its server; its key becomes free.
    private static let longestCall: Duration = .seconds(120)

    private let database: any Database
    private let box: SecretBox
    private let time: TimeSource

    package init(database: any Database, box: SecretBox, time: TimeSource = .system) {
        self.database = database
        self.box = box
        self.time = time
    }

    /// Claims a key for a request with that digest, or tells what stands there already.
    func claim(_ name: String, digest: [UInt8], in scope: Scope) async throws -> IdempotencyClaim {
        let now = time.now()
        let key: [SQLValue] = [.id(scope.tenant), .id(scope.organisation), .text(name)]
        let stored = try await database.write { transaction -> Stored? in
            // One statement decides between callers that come at once; an expired or dead row counts as none.
            let isMine = try transaction.first(
                """
                INSERT INTO idempotency (tenant_id, org_id, name, digest, created_at) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (tenant_id, org_id, name) DO UPDATE
                SET digest = excluded.digest, status = NULL, content_type = NULL, answer = NULL,
                    created_at = excluded.created_at
                WHERE idempotency.created_at < $6 OR (idempotency.status IS NULL AND idempotency.created_at < $7)
                RETURNING created_at
                """,
                key + [
                    .bytes(digest), .time(now), .time(now - IdempotencyStore.retention),
                    .time(now - IdempotencyStore.longestCall),
                ]
            ) { _ in true }
            if isMine == true { return nil }
            return try transaction.first(
                """
                SELECT digest, status, content_type, answer FROM idempotency
                WHERE tenant_id = $1 AND org_id = $2 AND name = $3
                """, key
            ) { row in
                Stored(
                    digest: row.bytes(0), status: row.intOrNil(1), contentType: row.textOrNil(2),
                    sealed: row.bytesOrNil(3))
            }
        }
        guard let stored else { return .run(now) }
        guard stored.digest == digest else { return .otherRequest }
        guard let status = stored.status, let sealed = stored.sealed else { return .running }
        let body = try box.open(sealed, context: context(name, scope)).reveal(for: "answering again")
        return .replay(StoredAnswer(status: Int(status), contentType: stored.contentType, body: body))
    }

    /// Keeps the answer of the call that holds the claim.
    func finish(_ name: String, _ claim: Timestamp, in scope: Scope, with answer: StoredAnswer) async throws {
        let sealed = try box.seal(Secret(answer.body), context: context(name, scope))
        _ = try await database.write { transaction in
            try transaction.execute(
                """
                UPDATE idempotency SET status = $5, content_type = $6, answer = $7
                WHERE tenant_id = $1 AND org_id = $2 AND name = $3 AND created_at = $4 AND status IS NULL
                """,
                [
                    .id(scope.tenant), .id(scope.organisation), .text(name), .time(claim), .int(answer.status),
                    .text(answer.contentType), .bytes(sealed),
                ])
        }
    }

    /// Frees the key of a call that made nothing, so that it can be repeated.
    func release(_ name: String, _ claim: Timestamp, in scope: Scope) async throws {
        _ = try await database.write { transaction in
            try transaction.execute(
                """
                DELETE FROM idempotency
                WHERE tenant_id = $1 AND org_id = $2 AND name = $3 AND created_at = $4 AND status IS NULL
                """,
                [.id(scope.tenant), .id(scope.organisation), .text(name), .time(claim)])
        }
    }

    /// Removes up to `limit` keys that are over their time, and says how many; a janitor calls it until none are
    /// left.
    package func removeExpired(limit: Int) async throws -> Int {
        let oldest = time.now() - IdempotencyStore.retention
        return try await database.write(.background) { transaction in
            try transaction.executeCounting(
                """
                DELETE FROM idempotency WHERE (tenant_id, org_id, name) IN (
                    SELECT tenant_id, org_id, name FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)
                """,
                [.time(oldest), .int(limit)])
        }
    }

    private struct Stored: Sendable {
        let digest: [UInt8]
        let status: Int64?
        let contentType: String?
        let sealed: [UInt8]?
    }

    private func context(_ name: String, _ scope: Scope) -> String {
        "idempotency:\(scope.tenant):\(scope.organisation):\(name)"
    }
}
