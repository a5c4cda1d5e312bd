/// A `package` declaration that has to say what it is.
private struct Declaration {
    let kind: String
    let name: String
    let index: Int
}

private let modifiers: Set<String> = [
    "package", "final", "static", "indirect", "nonisolated", "mutating", "consuming", "borrowing", "override", "prefix",
]
private let kinds: Set<String> = ["struct", "enum", "class", "actor", "protocol", "func"]
/// Requirements of the standard library and of the libraries that are used here, whose meaning is known.
private let known: Set<String> = [
    "hash", "encode", "makeIterator", "makeAsyncIterator", "next", "run", "handle", "makeCounter", "makeMeter",
    "makeRecorder", "makeTimer", "destroyCounter", "destroyMeter", "destroyRecorder", "destroyTimer",
]

private func declaration(_ code: String, at index: Int) -> Declaration? {
    var words = code.split(separator: " ").map(String.init)
    while let word = words.first, word.hasPrefix("@") { words.removeFirst() }
    let leading = words.prefix { modifiers.contains($0) }
    guard leading.contains("package"), words.count > leading.count + 1 else { return nil }
    var kind = words[leading.count]
    var next = leading.count + 1
    if kind == "class" && words[next] == "func" {
        kind = "func"
        next += 1
    }
    guard kinds.contains(kind), next < words.count else { return nil }
    let name = String(words[next].prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    // An operator is known by its sign; a type without anything inside is a mark for the compiler.
    if name.isEmpty || known.contains(name) || code.hasSuffix("{}") { return nil }
    // A nested type stands under the summary of the type around it, and a body on the same line speaks for itself.
    let isNested = code.hasPrefix(" ")
    if kind == "func" ? code.hasSuffix("}") : isNested { return nil }
    return Declaration(kind: kind, name: name, index: index)
}

/// The first line of the comment above a declaration, attributes skipped; nil when there is none.
private func summary(above index: Int, in file: TextFile) -> String? {
    var at = index - 1
    while at >= 0, file.lines[at].trimmed.hasPrefix("@") { at -= 1 }
    var first: String?
    while at >= 0, file.lines[at].trimmed.hasPrefix("///") {
        first = String(file.lines[at].trimmed.dropFirst(3)).trimmed
        at -= 1
    }
    return first
}

/// Whether a summary has no word that the name lacks.
private func restates(_ summary: String, _ name: String) -> Bool {
    let fillers: Set<String> = [
        "a", "an", "the", "of", "to", "for", "and", "is", "this", "returns", "gets", "its", "from",
    ]
    let letters = name.lowercased()
    let words = summary.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    return words.filter { !fillers.contains($0) && !letters.contains($0.hasSuffix("s") ? String($0.dropLast()) : $0) }
        .isEmpty
}

extension String {
    var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// What the protocols of our own require: it is explained there, and a conformance has nothing to add.
private func requirements(_ tree: Tree) -> Set<String> {
    var names: Set<String> = []
    for file in tree.under("Sources/") where file.isSwift {
        var isInside = false
        for line in file.code {
            if line.contains("protocol ") && line.hasSuffix("{") { isInside = true }
            if line.hasPrefix("}") { isInside = false }
            guard isInside, !line.contains("{"), let found = line.firstRange(of: "func ") else { continue }
            names.insert(String(line[found.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }))
        }
    }
    return names
}

@Sendable private func undocumented(_ tree: Tree) -> [Violation] {
    let requirements = requirements(tree)
    return tree.under("Sources/").filter { $0.isSwift }.flatMap { file in
        let declarations = file.code.enumerated().compactMap { declaration($0.element, at: $0.offset) }
        let explained = requirements.union(
            declarations.filter { summary(above: $0.index, in: file) != nil }.map(\.name))
        return declarations.compactMap { found -> Violation? in
            func violation(_ advice: String) -> Violation {
                Violation(path: file.path, line: found.index + 1, advice: "\(found.kind) \(found.name): \(advice)")
            }
            guard let summary = summary(above: found.index, in: file) else {
                // An overload stands under the summary of another of its name.
                if found.kind == "func" && explained.contains(found.name) { return nil }
                return violation("say above it, after ///, what its name doesn't")
            }
            return restates(summary, found.name) ? violation("its summary repeats the name: say what it is for") : nil
        }
    }
}

let documentationRules: [Rule] = [
    Rule(
        "A type or function with package access has a summary that says more than its name",
        bad: [
            Sample("Sources/A/B.swift", "import C\n\npackage struct D {\n}\n", line: 3),
            Sample("Sources/A/B.swift", "// A plain comment.\npackage static func d() {\n}\n", line: 2),
            Sample("Sources/A/B.swift", "/// The order store.\npackage final class OrderStore: Sendable {\n", line: 2),
            Sample("Sources/A/B.swift", "    @discardableResult\n    package func d() {\n    }\n", line: 2),
        ],
        good: [
            Sample("Sources/A/B.swift", "/// Where orders are kept.\n@frozen\npackage struct OrderStore {\n"),
            Sample("Sources/A/B.swift", "/// Adds one.\npackage func d() {\n}\npackage func d(_ e: Int) {\n}\n"),
            Sample("Sources/A/B.swift", "package init() {\npackage let d: Int\npackage enum E {}\nstruct F {\n"),
            Sample("Sources/A/B.swift", "package static func == (a: B, b: B) -> Bool {\npackage func run() async {\n"),
            Sample("Sources/A/B.swift", "package func d() { e }\n    package enum F {\n"),
            Sample([
                "Sources/A/B.swift": "/// What sends.\nprotocol B {\n    func send()\n}\n",
                "Sources/A/C.swift": "package func send() {\n",
            ]),
            Sample("Tests/A/B.swift", "package struct D {\n"),
        ],
        check: undocumented)
]
