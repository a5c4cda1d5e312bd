import Testing

/// A defect that is put into the engine's statements, to show that the judge finds it.
struct Sabotage: Sendable, CustomTestStringConvertible {
    let name: String
    /// Which statements: those that begin so.
    let statement: String
    /// What of their text is replaced by what; an empty text drops the statement every third time.
    let words: String
    let others: String
    /// What the judge says of it, among other things.
    let complaint: String

    var testDescription: String { name }

    init(_ name: String, _ statement: String, _ words: String = "", _ others: String = "", found complaint: String) {
        self.name = name
        self.statement = statement
        self.words = words
        self.others = others
        self.complaint = complaint
    }

    static let all = attempts + claims + endings + stops + health + replays

    private static let attempts = [
        Sabotage("an attempt is not written now and then", "INSERT INTO attempt", found: "of 1"),
        Sabotage(
            "an attempt is written without asking whose the delivery is", "UPDATE delivery SET state = r.new_state",
            "AND claim = r.shown_claim", "", found: "under a lease that is over"),
        Sabotage(
            "what comes back too often is given up", "UPDATE delivery SET state = r.new_state",
            "finished_at = r.finished",
            "finished_at = CASE WHEN r.number > 1 AND r.finished IS NULL THEN r.due ELSE r.finished END,"
                + " state = CASE WHEN r.number > 1 AND r.new_state = 'pending' THEN 'failed' ELSE r.new_state END",
            found: ": "),
    ]

    private static let claims = [
        Sabotage("a delivery is not written now and then", "INSERT INTO delivery", found: "0 deliveries of an event"),
        Sabotage(
            "retries come a minute early", "SELECT delivery.id", "next_at <= now_ms()", "next_at <= now_ms() + 60000",
            found: "after"),
        Sabotage(
            "claimed deliveries stay due", "UPDATE delivery SET claim = $1", "next_at = now_ms() + $2",
            "next_at = now_ms() + 0 * $2", found: "two hold the same delivery at once"),
        Sabotage(
            "copies take from a backlog that is another's", "INSERT INTO backlog_lease",
            "WHERE backlog_lease.holder = excluded.holder OR", "WHERE true OR",
            found: "two hold the same delivery at once"),
        Sabotage(
            "a backlog is anybody's before what was taken from it is", "INSERT INTO backlog_lease",
            "now_ms() + $2 FROM", "now_ms() + 0 * $2 FROM", found: "two hold the same delivery at once"),
        Sabotage(
            "each copy keeps to limits for itself", "SELECT s.id FROM {rows} r JOIN subscription s",
            "s.rate_limit IS NOT NULL OR s.max_in_flight IS NOT NULL", "1 = 0", found: "more calls at once"),
        Sabotage(
            "a bound that a caller sets is forgotten", "UPDATE subscription SET url", "max_in_flight = $12",
            "max_in_flight = NULL + $12", found: "more calls at once"),
        Sabotage(
            "nobody looks for earlier ones of an entity", "SELECT delivery.id", "p.id < delivery.id",
            "p.id < delivery.id AND 1 = 0", found: "waits until"),
        Sabotage(
            "tries of an open breaker take no turns", "UPDATE breaker SET next_at", "next_at = now_ms() + $2",
            "next_at = now_ms() + 0 * $2", found: "a second try while the breaker is open"),
    ]

    private static let endings = [
        Sabotage(
            "410 disables nobody", "UPDATE subscription SET status", "WHERE id = $1", "WHERE id = $1 AND $3 = 'active'",
            found: "not given up with"),
        Sabotage(
            "a subscription that is disabled leaves what waits for it", "WITH part AS MATERIALIZED",
            "WHERE id IN (SELECT id FROM part)", "WHERE 1 = 0 AND id IN (SELECT id FROM part)",
            found: "pending, and the subscription is not active"),
    ]

    private static let stops = [
        Sabotage(
            "a copy that stops keeps its leases", "UPDATE delivery SET claim = 0, next_at = $1",
            "claim = r.shown_claim", "claim = r.shown_claim + 1", found: "keeps a lease"),
        Sabotage(
            "a copy that stops keeps its backlogs", "DELETE FROM backlog_lease", "holder = $1", "holder = $1 + 1",
            found: "keeps the backlog"),
        Sabotage(
            "what a stopping copy gives back is due later", "UPDATE delivery SET claim = 0, next_at = $1",
            "next_at = $1", "next_at = $1 + 60000", found: "given back and not due"),
        Sabotage(
            "giving back costs an attempt", "UPDATE delivery SET claim = 0, next_at = $1",
            "SET claim = 0", "SET attempts = attempts + 1, claim = 0", found: "attempts ["),
    ]

    private static let health = [
        Sabotage(
            "successes count as failures", "SELECT r.wanted, r.tenant", "sum(m.failures)", "sum(m.attempts)",
            found: "given up with"),
        Sabotage(
            "nobody is given up", "SELECT r.wanted, r.tenant", "m.minute > now_ms() / 60000 - 60",
            "m.minute > now_ms() / 60000 + 60", found: "not given up with"),
        Sabotage(
            "activation does not count anew", "DELETE FROM endpoint_minute", "subscription_id = $1",
            "subscription_id = $1 AND 1 = 0", found: "given up with"),
        Sabotage(
            "each opening is told of", "UPDATE breaker SET is_told = 1", "AND is_told = 0", "", found: "told"),
        Sabotage(
            "no recovery is told of", "SELECT is_told FROM breaker", "SELECT is_told", "SELECT 0 * is_told",
            found: "told"),
    ]

    private static let replays = [
        Sabotage(
            "a replay forgets how far it came", "UPDATE replay SET last_position", "last_position = $2",
            "last_position = last_position + 0 * $2", found: "a replay sends it twice"),
        Sabotage(
            "a replay does not look for what is written behind a crash",
            "SELECT event_id FROM delivery WHERE replay_id",
            "id >= $2", "id >= $2 AND 1 = 0", found: "a replay sends it twice"),
        Sabotage(
            "a replay loses what it writes now and then",
            "INSERT INTO delivery", "FROM {rows} r", "FROM {rows} r WHERE replay_id IS NULL OR hex(id) NOT LIKE '%0'",
            found: "a replay"),
    ]
}
