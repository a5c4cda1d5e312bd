/// Tells code from comments and text literals, so that no rule trips over a word in a sentence.
///
/// Each view has the length and the line breaks of the source; what doesn't belong to it is blank.
/// Regex literals are not known: a quote in one would be taken for the start of a text.
struct SwiftScanner {
    private enum Frame {
        /// Code, or an interpolation whose parentheses are still open.
        case code(parentheses: Int)
        case text(hashes: Int, isBlock: Bool)
    }

    private let bytes: [UInt8]
    private var at = 0
    private var frames: [Frame] = [.code(parentheses: 0)]
    /// Code, with the quotes of literals and the code inside interpolations.
    private(set) var code: [UInt8]
    private(set) var comments: [UInt8]
    /// Only the code inside interpolations.
    private(set) var interpolations: [UInt8]

    init(_ text: String) {
        bytes = Array(text.utf8)
        let blank = bytes.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
        code = blank
        comments = blank
        interpolations = blank
        while at < bytes.count {
            switch frames[frames.count - 1] {
            case .code(let parentheses): stepInCode(parentheses)
            case .text(let hashes, let isBlock): stepInText(hashes: hashes, isBlock: isBlock)
            }
        }
    }

    private mutating func stepInCode(_ parentheses: Int) {
        switch bytes[at] {
        case UInt8(ascii: "/") where starts("//"): takeLineComment()
        case UInt8(ascii: "/") where starts("/*"): takeBlockComment()
        case UInt8(ascii: "#"), UInt8(ascii: "\""): takeQuote()
        case UInt8(ascii: "("): takeCode(parentheses: parentheses + 1)
        case UInt8(ascii: ")"):
            if parentheses == 1 && frames.count > 1 {
                frames.removeLast()
                at += 1
            } else {
                takeCode(parentheses: parentheses - 1)
            }
        default: takeCode(parentheses: parentheses)
        }
    }

    private mutating func takeCode(parentheses: Int) {
        frames[frames.count - 1] = .code(parentheses: parentheses)
        code[at] = bytes[at]
        if frames.count > 1 { interpolations[at] = bytes[at] }
        at += 1
    }

    private mutating func takeLineComment() {
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") {
            comments[at] = bytes[at]
            at += 1
        }
    }

    private mutating func takeBlockComment() {
        var depth = 0
        repeat {
            if starts("/*") { depth += 1 } else if starts("*/") { depth -= 1 }
            let width = starts("/*") || starts("*/") ? 2 : 1
            for index in at..<min(at + width, bytes.count) { comments[index] = bytes[index] }
            at += width
        } while depth > 0 && at < bytes.count
    }

    /// A literal's opening, or a number sign that opens none (`#expect`).
    private mutating func takeQuote() {
        var hashes = 0
        while at + hashes < bytes.count, bytes[at + hashes] == UInt8(ascii: "#") { hashes += 1 }
        let quote = at + hashes
        guard quote < bytes.count, bytes[quote] == UInt8(ascii: "\"") else {
            for index in at..<quote { code[index] = bytes[index] }
            at = quote
            return
        }
        code[quote] = UInt8(ascii: "\"")
        at = quote
        let isBlock = starts("\"\"\"")
        at += isBlock ? 3 : 1
        frames.append(.text(hashes: hashes, isBlock: isBlock))
    }

    private mutating func stepInText(hashes: Int, isBlock: Bool) {
        let closing = (isBlock ? "\"\"\"" : "\"") + String(repeating: "#", count: hashes)
        let escape = "\\" + String(repeating: "#", count: hashes)
        if bytes[at] == UInt8(ascii: "\\") && starts(escape) {
            at += 1 + hashes
            let opens = at < bytes.count && bytes[at] == UInt8(ascii: "(")
            at += 1
            if opens { frames.append(.code(parentheses: 1)) }
        } else if bytes[at] == UInt8(ascii: "\"") && starts(closing) {
            code[at] = UInt8(ascii: "\"")
            at += closing.utf8.count
            frames.removeLast()
        } else {
            // A one-line literal can't go on: the source is broken, and the rest of it is code again.
            if bytes[at] == UInt8(ascii: "\n") && !isBlock { frames.removeLast() }
            at += 1
        }
    }

    private func starts(_ text: String) -> Bool {
        bytes[at...].starts(with: text.utf8)
    }
}
