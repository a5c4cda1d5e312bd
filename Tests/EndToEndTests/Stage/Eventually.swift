import Kernel
import Testing

/// Something that did not come about in time.
struct Overdue: Error, CustomStringConvertible {
    let description: String
}

/// Looks again and again until there is an answer: other processes ring no bell here.
///
/// - Parameter what: what is waited for, for the failure's text.
func eventually<T>(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(30), every pause: Duration = .milliseconds(40),
    _ look: () async throws -> T?
) async throws -> T {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while true {
        if let found = try await look() { return found }
        if clock.now >= end { throw Overdue(description: "after \(limit) still not: \(what())") }
        try Task.checkCancellation()
        await pass(pause)
    }
}

/// Waits until a condition holds.
func until(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(30), every pause: Duration = .milliseconds(40),
    _ holds: () async throws -> Bool
) async throws {
    try await eventually(what(), within: limit, every: pause) { try await holds() ? () : nil }
}

/// Lets some time pass between two looks.
func pass(_ duration: Duration) async {
    await Doorbell().wait(upTo: duration)
}
