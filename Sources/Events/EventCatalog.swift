/// Every kind of event that this product raises, in the order in which it is documented.
package enum EventCatalog {
    package static let all: [any EventType.Type] = [
        OrderCreated.self,
        OrderUpdated.self,
        ProductCreated.self,
        ProductUpdated.self,
        ProductPriceChanged.self,
    ]

    package static let names: [String] = all.map { $0.name }

    /// The known name that is nearest to a text by edits, for an answer to a misspelt one.
    package static func nearest(to text: String) -> String {
        // No name is that long, and a stranger's megabyte would cost seconds.
        let start = String(text.prefix(80))
        let distances = names.map { (name: $0, edits: editDistance(start, $0)) }
        return distances.min { $0.edits < $1.edits }?.name ?? ""
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
