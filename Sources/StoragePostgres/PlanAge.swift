/// Says when a session's plans are too old. Pure: it is told the time.
///
/// A plan that was made while a table was empty takes whichever index comes first and walks all of the tenant's rows
/// with it. Statistics would put an end to that, but autovacuum comes by once a minute. So plans live for as many works
/// as a table needs to grow from nothing to where the choice begins to matter, and never for long.
struct PlanAge {
    /// Works of one session: some thousand new rows at the most.
    static let works = 128
    static let most: Duration = .seconds(5)
    /// A busy session would plan all the time: it costs a fraction of a millisecond for each statement.
    static let least: Duration = .milliseconds(200)

    private var count = 0
    private var since: ContinuousClock.Instant?

    /// Counts one work, and tells whether plans are to be made anew before it.
    mutating func isOver(at now: ContinuousClock.Instant) -> Bool {
        guard let since else {
            since = now
            return false
        }
        count += 1
        let age = since.duration(to: now)
        guard age >= Self.most || count >= Self.works && age >= Self.least else { return false }
        count = 0
        self.since = now
        return true
    }
}
