/// One place that breaks a rule, with what to write there instead.
struct Violation: Sendable, Equatable, CustomStringConvertible {
    let path: String
    /// From 1; 0 where the whole file is meant.
    let line: Int
    let advice: String

    var description: String { "\(path):\(line): \(advice)" }
}

/// A small tree that a rule must find something in, or nothing.
struct Sample: Sendable {
    let files: [String: String]
    let executables: Set<String>
    /// Where the one violation is expected; ignored for a sample that is in order.
    let line: Int

    init(_ path: String, _ text: String, line: Int = 1) {
        self.init([path: text], line: line)
    }

    init(_ files: [String: String], executables: Set<String> = [], line: Int = 1) {
        self.files = files
        self.executables = executables
        self.line = line
    }

    var tree: Tree { Tree(files.map { TextFile($0.key, $0.value) }, executables: executables) }
}

/// A habit of this repository as a pure function over its files.
struct Rule: Sendable, CustomStringConvertible {
    let sentence: String
    let check: @Sendable (Tree) -> [Violation]
    /// Each has exactly one violation: a rule that can't fail guards nothing.
    let bad: [Sample]
    let good: [Sample]

    var description: String { sentence }

    init(
        _ sentence: String, bad: [Sample], good: [Sample], check: @escaping @Sendable (Tree) -> [Violation]
    ) {
        self.sentence = sentence
        self.check = check
        self.bad = bad
        self.good = good
    }

    /// A rule that judges each file by itself.
    init(
        _ sentence: String, bad: [Sample], good: [Sample],
        where applies: @escaping @Sendable (TextFile) -> Bool,
        eachFile check: @escaping @Sendable (TextFile) -> [(line: Int, advice: String)]
    ) {
        self.init(sentence, bad: bad, good: good) { tree in
            tree.files.filter(applies).flatMap { file in
                check(file).map { Violation(path: file.path, line: $0.line, advice: $0.advice) }
            }
        }
    }

    static let all: [Rule] =
        importRules + sizeRules + whiteSpaceRules + callRules + nameRules + documentationRules + catalogueRules
        + markdownRules + pathRules
}
