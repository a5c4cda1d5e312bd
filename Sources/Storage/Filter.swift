/// A list's condition, put together from the filters that were asked for. Texts are from code, values are arguments.
package struct Filter {
    package private(set) var condition: String
    package private(set) var arguments: [SQLValue]

    /// - Parameters:
    ///   - condition: what holds for each row of the list, whatever is asked.
    ///   - arguments: its values; what is narrowed later takes the numbers behind them.
    package init(_ condition: String, _ arguments: [SQLValue]) {
        self.condition = condition
        self.arguments = arguments
    }

    /// Adds a condition that stands for itself.
    package mutating func narrow(_ text: String) { condition += " AND \(text)" }

    /// Adds a condition where there is a value, which takes the place of each `$n` in it.
    package mutating func narrow(_ text: String, _ value: SQLValue?) {
        guard let value else { return }
        arguments.append(value)
        let parts = text.split(separator: "$n", omittingEmptySubsequences: false)
        condition += " AND " + parts.joined(separator: "$\(arguments.count)")
    }
}
