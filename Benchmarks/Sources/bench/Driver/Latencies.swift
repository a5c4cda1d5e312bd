/// Durations in whole microseconds, kept one by one: a run has at most a few hundred thousand.
struct Latencies: Sendable {
    private var values: [UInt32] = []

    var count: Int { values.count }

    mutating func reserve(_ capacity: Int) { values.reserveCapacity(capacity) }

    mutating func record(nanoseconds: Int64) {
        values.append(UInt32(clamping: max(0, nanoseconds) / 1_000))
    }

    /// Milliseconds that the given share of all durations (0.5, 0.99 …) does not exceed; 0 when there are none.
    func percentiles(_ shares: [Double]) -> [Double] {
        let sorted = values.sorted()
        return shares.map { share in
            guard let last = sorted.indices.last else { return 0 }
            let index = Int((Double(sorted.count) * share).rounded(.up)) - 1
            return Double(sorted[min(max(index, 0), last)]) / 1_000
        }
    }
}

/// The middle of several rounds; with an even number of them the mean of the two in the middle.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
