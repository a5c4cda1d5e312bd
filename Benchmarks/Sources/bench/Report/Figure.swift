/// One line of the table: what was measured, what it was held against, and whether that is enough.
struct Figure: Codable, Sendable {
    var name: String
    var engine = "sqlite"
    /// The measured value with its unit, and what stands beside it from the same run.
    var measured: String
    var beside = "–"
    var ratio: Double?
    /// The least (or most) that is asked for, in words; nil where the line only informs.
    var target: String?
    var isMet: Bool?
    /// The single values behind the medians, by name.
    var samples: [String: [Double]] = [:]
    /// Load averages over one minute before and after.
    var loadBefore = 0.0
    var loadAfter = 0.0

    /// Takes figures and notes the machine's load around them.
    static func taking(_ take: () async throws -> [Figure]) async throws -> [Figure] {
        let before = try Machine.loadAverage()
        var figures = try await take()
        let after = try Machine.loadAverage()
        for index in figures.indices {
            figures[index].loadBefore = before
            figures[index].loadAfter = after
        }
        return figures
    }
}

extension Double {
    /// Decimal digits without Foundation's formatters.
    func text(_ digits: Int = 0) -> String {
        if digits == 0 { return "\(Int(rounded()))" }
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let whole = Int((magnitude * scale).rounded())
        let fraction = String(whole % Int(scale))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(self < 0 ? "-" : "")\(whole / Int(scale)).\(zeros)\(fraction)"
    }
}

/// The median of several rounds with the least and the most of them in brackets, or the one round that there was.
func spread(_ rounds: [Double], _ digits: Int = 0) -> String {
    let middle = median(rounds).text(digits)
    guard rounds.count > 1, let least = rounds.min(), let most = rounds.max() else { return middle }
    return "\(middle) (\(least.text(digits)) to \(most.text(digits)))"
}
