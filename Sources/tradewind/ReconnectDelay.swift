/// How long to wait before a stream is opened again: longer each time that nothing came of it. Pure.
struct ReconnectDelay {
    private static let first: Duration = .seconds(1)
    private static let longest: Duration = .seconds(30)

    private var next = Self.first

    /// Something came through: the next break is a new one.
    mutating func succeeded() { next = Self.first }

    /// The wait before the next try.
    ///
    /// - Parameter chance: from 0 to 1; spreads readers that a restart has thrown off together.
    mutating func wait(chance: Double) -> Duration {
        defer { next = min(next * 2, Self.longest) }
        return next * (0.5 + chance / 2)
    }
}
