import Testing

extension Trait where Self == TimeLimitTrait {
    /// Fails a test that hangs, instead of letting it hold the whole run up.
    ///
    /// Its clock runs while a test waits for its place on an engine, and most start at once: what counts is how long
    /// the whole run takes (eight minutes on two processors), not how long the test does.
    package static var endsWhenHung: Self { .timeLimit(.minutes(30)) }
}
