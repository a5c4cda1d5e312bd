import Synchronization

/// Where `tradewind dev` writes what people read: the process's standard output.
package struct DevelopmentOutput: Sendable {
    /// Whether a line may be written over: on a terminal, and not in a pipe or a file.
    package let isTerminal: Bool
    private let write: @Sendable (String) -> Void

    /// - Parameter write: writes a text as it stands and at once.
    package init(isTerminal: Bool, write: @escaping @Sendable (String) -> Void) {
        self.isTerminal = isTerminal
        self.write = write
    }

    func lines(_ lines: [String]) { write(lines.map { $0 + "\n" }.joined()) }

    /// Tells how far something is: on a terminal in one line that is written over, else in a line a step.
    package func progress(_ label: String, _ done: Int, of count: Int, last: String) {
        let text = "\(label)  \(done)/\(count)"
        guard isTerminal else {
            if done > 0 { write("\(text)  \(last)\n") }
            return
        }
        write("\r\(text)" + (done == count ? "\n" : ""))
    }
}
