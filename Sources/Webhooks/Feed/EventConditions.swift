import Events
import Kernel
import Storage

/// What is asked of an event, as conditions on the event table `e` and their arguments.
struct EventConditions {
    private(set) var text = ""
    private(set) var arguments: [SQLValue]

    var isEmpty: Bool { text.isEmpty }

    /// - Parameter arguments: those that the statement has before these.
    init(after arguments: [SQLValue]) { self.arguments = arguments }

    /// Adds ` AND …`, in which `$?` stands for the value.
    mutating func add(_ condition: String, _ value: SQLValue) {
        arguments.append(value)
        text += " AND " + place(condition)
    }

    /// Adds ` AND …` for a condition without a value.
    mutating func add(_ condition: String) { text += " AND " + condition }

    /// Events that at least one of the patterns takes; all where there is none.
    mutating func add(_ patterns: [EventPattern]) {
        if patterns.isEmpty || patterns.contains(.all) { return }
        let alternatives = patterns.map { pattern in
            switch pattern {
            case .all: return "true"
            case .exactly(let type):
                arguments.append(.text(type))
                return place("e.type = $?")
            case .entity(let entity):
                // By the type's own prefix, as patterns do elsewhere. LIKE would not tell cases apart on SQLite.
                arguments.append(.text(entity + "."))
                return place("substr(e.type, 1, \(entity.unicodeScalars.count + 1)) = $?")
            }
        }
        text += " AND (\(alternatives.joined(separator: " OR ")))"
    }

    private func place(_ condition: String) -> String {
        condition.split(separator: "$?", omittingEmptySubsequences: false).joined(separator: "$\(arguments.count)")
    }
}
