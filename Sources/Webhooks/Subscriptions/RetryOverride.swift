import Kernel

/// What a subscription asks for in place of its profile's retries: a table of waits, a growing wait, or only an end.
package struct RetryOverride: Sendable, Equatable {
    private let delays: [Int64]?
    private let first: Int64?
    private let factor: Int64?
    private let longest: Int64?
    private let window: Int64?
    private let attempts: Int64?

    private static let delaysMost = 20
    private static let dayInSeconds: Int64 = 86_400

    /// Reads and checks the object `retry` of a request, or of a row.
    package init(_ fields: FieldReader) {
        delays = RetryOverride.delays(fields)
        first = fields.integer("first_seconds", in: 1...3600)
        factor = fields.integer("factor", in: 1...10)
        longest = fields.integer("longest_seconds", in: 1...Self.dayInSeconds)
        window = fields.integer("window_seconds", in: 60...7 * Self.dayInSeconds)
        attempts = fields.integer("max_attempts", in: 1...Int64(RetrySchedule.attemptsMost))
        if delays != nil, first ?? factor ?? longest ?? window != nil {
            fields.fault("delays_seconds", "can't stand beside first_seconds, factor, longest_seconds, window_seconds")
        }
        if let first, let longest, longest < first {
            fields.fault("longest_seconds", "must not be shorter than first_seconds")
        }
    }

    private static func delays(_ fields: FieldReader) -> [Int64]? {
        guard let value = fields.value("delays_seconds") else { return nil }
        guard let items = value.array, (1...delaysMost).contains(items.count) else {
            fields.fault("delays_seconds", "must be a list of 1 to \(delaysMost) waits in seconds")
            return nil
        }
        return items.enumerated().compactMap { index, item in
            if let seconds = item.integer, (1...dayInSeconds).contains(seconds) { return seconds }
            fields.fault(
                at: ["delays_seconds", String(index)], "must be a whole number from 1 to \(dayInSeconds)")
            return nil
        }
    }

    /// Reads a row's text, which was checked when it was written.
    init(stored json: String) throws {
        self = try FieldReader.read(JSONValue(parsing: Array(json.utf8))) { RetryOverride($0) }
    }

    /// The schedule with what is asked for in place of the profile's.
    package func applied(to schedule: RetrySchedule) -> RetrySchedule {
        let attempts = attempts.map { Int($0) }
        if let delays {
            let waits = RetrySchedule(table: delays.map { .seconds($0) })
            return RetrySchedule(waits.waits, attempts: attempts ?? waits.attempts)
        }
        if first == nil, factor == nil, longest == nil, window == nil {
            return RetrySchedule(schedule.waits, attempts: attempts ?? schedule.attempts, window: schedule.window)
        }
        let first = first ?? 5
        return RetrySchedule(
            .growing(
                first: .seconds(first), factor: Int(factor ?? 3), longest: .seconds(max(longest ?? 21_600, first))),
            attempts: attempts ?? RetrySchedule.attemptsMost, window: .seconds(window ?? 3 * Self.dayInSeconds))
    }

    /// Writes the members that were given.
    package func write(_ writer: inout JSONWriter) {
        if let delays {
            writer.arrayField("delays_seconds") { writer in for delay in delays { writer.integer(delay) } }
        }
        let numbers: [(String, Int64?)] = [
            ("first_seconds", first), ("factor", factor), ("longest_seconds", longest), ("window_seconds", window),
            ("max_attempts", attempts),
        ]
        for (name, number) in numbers {
            if let number { writer.field(name, number) }
        }
    }
}
