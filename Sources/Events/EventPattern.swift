/// Which event types someone asks for: one exactly, all of an entity (`order.*`), or all (`*`).
package enum EventPattern: Hashable, Sendable, CustomStringConvertible {
    case all
    case entity(String)
    case exactly(String)

    /// Reads a pattern; nil when it can match no type of the catalogue.
    package init?(_ text: String) {
        if text == "*" {
            self = .all
        } else if text.hasSuffix(".*") {
            let entity = String(text.dropLast(2))
            guard EventCatalog.names.contains(where: { $0.hasPrefix(entity + ".") }) else { return nil }
            self = .entity(entity)
        } else {
            guard EventCatalog.names.contains(text) else { return nil }
            self = .exactly(text)
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
