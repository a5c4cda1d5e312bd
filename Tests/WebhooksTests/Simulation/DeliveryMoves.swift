import Storage

@testable import Webhooks

/// Holds what the engine does to the rows of deliveries against the state machine's table.
///
/// A trigger notes each change of a row's state: what the statements do, no matter which of them, has to be a move that
/// `DeliveryState.after` knows, or the drawn table tells of another machine than the one that runs.
enum DeliveryMoves {
    /// Notes changes from now on. Only on SQLite, where one statement is enough.
    static func watch(_ database: any Database) async throws {
        if database.dialect != .sqlite { return }
        try await database.write { transaction in
            try transaction.execute(
                """
                CREATE TABLE seen_move (
                    before TEXT, was_claimed INTEGER, after TEXT, is_claimed INTEGER,
                    PRIMARY KEY (before, was_claimed, after, is_claimed)
                )
                """)
            try transaction.execute(
                """
                CREATE TRIGGER note_move AFTER UPDATE ON delivery BEGIN
                    INSERT OR IGNORE INTO seen_move VALUES (OLD.state, OLD.claim <> 0, NEW.state, NEW.claim <> 0);
                END
                """)
        }
    }

    /// The kinds of changes that were seen and that no move makes.
    static func faults(in transaction: any Transaction) throws -> [String] {
        if transaction.dialect != .sqlite { return [] }
        let seen = try transaction.all("SELECT before, was_claimed, after, is_claimed FROM seen_move") { row in
            (
                before: states(row.text(0), isClaimed: row.int(1) != 0),
                after: states(row.text(2), isClaimed: row.int(3) != 0)
            )
        }
        return seen.filter { !isKnown($0.before, $0.after) }.map { "no move leads from \($0.before) to \($0.after)" }
    }

    /// What a row may stand for: one without a claim may be leased in memory.
    private static func states(_ name: String, isClaimed: Bool) -> [DeliveryState] {
        guard let state = DeliveryState(rawValue: name) else { return [] }
        if state != .pending { return [state] }
        return isClaimed ? [.delivering] : [.pending, .delivering]
    }

    private static func isKnown(_ before: [DeliveryState], _ after: [DeliveryState]) -> Bool {
        before.contains { state in
            // Held back, moved to another time or leased anew it stays what it is; an end is not written twice.
            if !state.isFinal, after.contains(state) { return true }
            return DeliveryState.Move.allCases.contains { move in state.after(move).map(after.contains) ?? false }
        }
    }
}
