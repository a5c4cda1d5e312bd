/// Says when what a session knows of the tables is too old: they grow meanwhile. Pure: it is told the time.
///
/// The busy learn anew after a number of works, the idle after a time, and nobody all the time.
struct KnowledgeAge {
    let works: Int
    let least: Duration
    let most: Duration

    /// Plans. One that was made while a table was empty takes whichever index comes first and walks all of the tenant's
    /// rows with it. The works are as many as a table needs to grow from nothing to where the choice begins to matter:
    /// some thousand new rows at the most. Planning costs a fraction of a millisecond for each statement, and the order
    /// that has to wait for all of it 4 ms: it must not be one in a hundred.
    static let plans = KnowledgeAge(works: 1024, least: .milliseconds(200), most: .seconds(5))

    /// Statistics, which are the whole database's. A session reports what it has written once a second. Who has just
    /// filled a small store and then reads it is not left with a stranger's plans for long.
    static let statistics = KnowledgeAge(works: 128, least: .seconds(1), most: .seconds(2))

    private var count = 0
    private var since: ContinuousClock.Instant?

    private init(works: Int, least: Duration, most: Duration) {
        (self.works, self.least, self.most) = (works, least, most)
    }

    /// Counts one work, and tells whether to learn anew before it.
    mutating func isOver(at now: ContinuousClock.Instant) -> Bool {
        guard let since else {
            since = now
            return false
        }
        count += 1
        let age = since.duration(to: now)
        guard age >= most || count >= works && age >= least else { return false }
        count = 0
        self.since = now
        return true
    }
}
