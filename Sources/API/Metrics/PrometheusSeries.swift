import CoreMetrics
import Synchronization

/// One line, or one small family of lines, of the metrics page.
protocol PrometheusSeries: AnyObject, Sendable {
    /// Adds this series' lines; `labels` is the text between the braces, without them.
    func write(_ name: String, _ labels: String, to text: inout String)
}

/// The line's name with its labels, and the value behind it.
private func line(_ name: String, _ labels: String, _ value: String, to text: inout String) {
    text += name
    if !labels.isEmpty { text += "{\(labels)}" }
    text += " \(value)\n"
}

/// A floating-point number as the Prometheus text format writes it.
private func number(_ value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    return "\(value)"
}

final class CounterSeries: PrometheusSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        line(name, labels, String(value.load(ordering: .relaxed)), to: &text)
    }
}

/// A value that goes up and down, and the last of recorded values that are not to be aggregated.
final class GaugeSeries: PrometheusSeries, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        line(name, labels, number(value.withLock { $0 }), to: &text)
    }
}

/// A gauge that is asked when the page is read, for numbers that somebody holds anyway.
final class AskedSeries: PrometheusSeries {
    private let read: @Sendable () -> Double

    init(read: @escaping @Sendable () -> Double) { self.read = read }

    func write(_ name: String, _ labels: String, to text: inout String) {
        line(name, labels, number(read()), to: &text)
    }
}

/// Counts of values by upper bounds: durations in seconds, or values of an aggregating recorder.
final class HistogramSeries: PrometheusSeries, TimerHandler, RecorderHandler {
    private struct State {
        var counts: [Int64]
        var sum = 0.0
    }

    /// From a millisecond, below which a network decides, to the ten seconds after which callers have given up.
    static let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// For counts and sizes: batch rows, bytes.
    static let amounts = [1.0, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576]

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[index] += 1
            state.sum += value
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let comma = labels.isEmpty ? "" : ","
        var total: Int64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? number(bounds[index]) : "+Inf"
            line("\(name)_bucket", "\(labels)\(comma)le=\"\(bound)\"", String(total), to: &text)
        }
        line("\(name)_sum", labels, number(sum), to: &text)
        line("\(name)_count", labels, String(total), to: &text)
    }
}
