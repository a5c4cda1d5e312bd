/// How long to wait before a stream is opened again: longer each time that nothing came of it. Pure.
struct ReconnectDelay {
    private static let first: Duration = .seconds(1)
    private static let longest: Duration = .seconds(30)
    /// A hub that asks for more is come back to sooner: whoever looks on waits for something.
    private static let askedMost: Duration = .seconds(300)

    private var next = Self.first

    /// Something came through: the next break is a new one.
    mutating func succeeded() { next = Self.first }

    /// The wait before the next try.
    ///
    /// - Parameters:
    ///   - chance: from 0 to 1; spreads readers that a restart has thrown off together.
    ///   - asked: the hub's own `Retry-After`, which moves the try later and never earlier.
    mutating func wait(chance: Double, asked: Duration? = nil) -> Duration {
        defer { next = min(next * 2, Self.longest) }
        return max(next * (0.5 + chance / 2), min(asked ?? .zero, Self.askedMost))
    }
}
