/// How long texts may be where feeds are read. Each is the shortest of what Google's product data specification and
/// OpenAI's product feed reference take, in characters (Unicode scalars).
enum FeedLimits {
    static let title = 150
    static let description = 5000
    static let brand = 70
    static let category = 750
    static let mpn = 70
    static let optionValue = 100
    /// Pictures beside the first one.
    static let furtherImages = 10
}

/// The text when it is within the limit, or as much of it as fits with an ellipsis behind, cut between characters.
func shortened(_ text: String, to limit: Int) -> String? {
    if text.utf8.count <= limit || text.unicodeScalars.count <= limit { return nil }
    var kept = ""
    var count = 0
    for character in text {
        count += character.unicodeScalars.count
        if count > limit - 1 { break }
        kept.append(character)
    }
    while kept.last?.isWhitespace ?? false { kept.removeLast() }
    return kept + "\u{2026}"
}
