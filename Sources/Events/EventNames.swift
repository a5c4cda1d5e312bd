/// The event types that somebody may ask for: those of the catalogue, and a tenant's own beside them.
package struct EventNames: Sendable {
    package let all: [String]

    /// - Parameter own: names of the tenant's own types.
    package init(own: [String] = []) {
        all = EventCatalog.names + own
    }

    /// The types that every tenant has.
    package static let catalogue = EventNames()

    package func contains(_ name: String) -> Bool { all.contains(name) }

    /// Whether some type is of that entity: the `order` of `order.created`.
    package func hasEntity(_ entity: String) -> Bool { all.contains { $0.hasPrefix(entity + ".") } }

    /// The known name that is nearest to a text by edits, for an answer to a misspelt one.
    package func nearest(to text: String) -> String { Self.nearest(to: text, among: all) ?? "" }

    /// What is said of a pattern that matches none of the names.
    package func refusal(of text: String) -> String {
        "\"\(text.prefix(80))\" matches no event type; the nearest is \(nearest(to: text))"
    }

    /// The nearest of some names; nil only where there are none.
    package static func nearest(to text: String, among names: [String]) -> String? {
        // No name is that long, and a stranger's megabyte would cost seconds.
        let start = String(text.prefix(80))
        let distances = names.map { (name: $0, edits: editDistance(start, $0)) }
        return distances.min { $0.edits < $1.edits }?.name
    }

    /// Levenshtein's distance over characters.
    static func editDistance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var row = Array(0...b.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (character == other ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
