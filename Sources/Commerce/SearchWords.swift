/// The words by which rows are found: runs of letters and digits in lower case. Text that is written without spaces is
/// one word, and accents stay.
package enum SearchWords {
    /// Words that one row is found by; what lies beyond is not found.
    static let most = 48
    private static let longest = 40

    /// The distinct words of some texts, cut off at their fortieth character.
    package static func words(of texts: [String]) -> Set<String> {
        var found: Set<String> = []
        for text in texts {
            for word in list(text) {
                if found.count == most { return found }
                found.insert(word)
            }
        }
        return found
    }

    /// The words of one text in their order.
    package static func list(_ text: String) -> [String] {
        text.lowercased().unicodeScalars.split { !isPart($0) }.map { String($0.prefix(longest)) }
    }

    private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
            return true
        default: return false
        }
    }
}
