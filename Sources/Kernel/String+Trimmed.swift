extension String {
    /// The text without white space at either end: spreadsheets and stores leave it around codes and names.
    package var trimmed: String {
        // Nearly all are trimmed already, and looking at two bytes is enough to know.
        if let first = utf8.first, let last = utf8.last, (0x21..<0x80).contains(first), (0x21..<0x80).contains(last) {
            return self
        }
        let head = drop(while: \.isWhitespace)
        guard let end = head.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(head[...end])
    }
}
