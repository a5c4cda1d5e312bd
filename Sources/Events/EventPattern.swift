/// Which event types someone asks for: one exactly, all of an entity (`order.*`), or all (`*`).
package enum EventPattern: Hashable, Sendable, CustomStringConvertible {
    case all
    case entity(String)
    case exactly(String)

    /// Reads a pattern; nil when it can match none of the known types.
    package init?(_ text: String, among names: EventNames = .catalogue) {
        self.init(stored: text)
        switch self {
        case .all: return
        case .entity(let entity): if !names.hasEntity(entity) { return nil }
        case .exactly(let name): if !names.contains(name) { return nil }
        }
    }

    /// Reads a pattern that was checked when it was stored. The type it names may have been deleted since.
    package init?(stored text: String) {
        if text == "*" {
            self = .all
        } else if text.hasSuffix(".*") {
            self = .entity(String(text.dropLast(2)))
        } else if text.contains(".") {
            self = .exactly(text)
        } else {
            return nil
        }
    }

    /// Whether an event of the type `type` is asked for. `order.*` takes every `order.…`, and no `orders.…`.
    package func matches(_ type: String) -> Bool {
        switch self {
        case .all: true
        case .entity(let entity): type.hasPrefix(entity) && type.dropFirst(entity.count).first == "."
        case .exactly(let name): type == name
        }
    }

    package var description: String {
        switch self {
        case .all: "*"
        case .entity(let entity): "\(entity).*"
        case .exactly(let name): name
        }
    }
}
