/// How far something is, as a text: a bar that is drawn over on a terminal, and lines elsewhere. Pure.
struct ProgressLine {
    let isTerminal: Bool
    private static let width = 30
    private var lastPercent = -1

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    /// What to write now; nothing where it would say the same as before.
    ///
    /// - Parameter total: nil where it isn't known.
    mutating func text(_ done: Int, of total: Int?, _ words: String) -> String {
        guard let total, total > 0 else { return isTerminal ? "\r\u{1B}[K\(words)" : "" }
        let percent = min(100, done * 100 / total)
        if isTerminal {
            let filled = percent * Self.width / 100
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
            return "\r\u{1B}[K[\(bar)] \(percent) %  \(words)"
        }
        // A line each tenth: a log is read afterwards.
        guard percent / 10 > lastPercent / 10 || lastPercent < 0 else { return "" }
        lastPercent = percent
        return "\(percent) %  \(words)\n"
    }

    /// What ends the line.
    func end(_ words: String) -> String { isTerminal ? "\r\u{1B}[K\(words)\n" : "\(words)\n" }
}
