private let drawers: Set<String> = [
    "Core", "Common", "Util", "Utils", "Utilities", "Helper", "Helpers", "Misc", "Extensions", "Models", "Base",
    "Manager", "Managers", "Info", "Shared", "Legacy", "New",
]
/// Endings of type names that say nothing, and words that stand for something else here.
private let endings: [(ending: String, instead: String)] = [
    ("Manager", "what it does"), ("Helper", "what it gives"), ("Helpers", "what they give"),
    ("Util", "what it gives"), ("Utils", "what they give"), ("Base", "what it is"), ("Info", "what it tells"),
    ("Impl", "what sets it apart"), ("Job", "Workflow"), ("Message", "Event or Delivery"), ("Hook", "Subscription"),
]

/// The names of the types that a line of code declares.
private func declaredTypes(_ line: String) -> [String] {
    let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." }
    let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
    return zip(words, words.dropFirst()).compactMap { kinds.contains($0) ? String($1) : nil }
}

let nameRules: [Rule] = [
    Rule(
        "No folder and no file is a drawer",
        bad: [
            Sample("Sources/A/Utils/B.swift", "a\n", line: 0),
            Sample("Sources/A/Helpers.swift", "a\n", line: 0),
            Sample("Sources/A/OrderManager.swift", "a\n", line: 0),
        ],
        good: [Sample("Sources/A/Orders/Order+Text.swift", "a\n"), Sample("Sources/A/Database.swift", "a\n")],
        where: { $0.isSwift },
        eachFile: { file in
            let folders = file.folder.split(separator: "/").map(String.init)
            let stem = String(file.name.prefix { $0 != "+" })
            if let drawer = (folders + [stem]).first(where: { drawers.contains($0) }) {
                return [(0, "“\(drawer)” holds anything: name it after what is in it")]
            }
            return endings.filter { stem.hasSuffix($0.ending) }.prefix(1).map {
                (0, "name the file after \($0.instead)")
            }
        }),
    Rule(
        "A type's name says what it is, in the words of the glossary",
        bad: [
            Sample("Sources/A/B.swift", "a\nfinal class OrderManager {}\n", line: 2),
            Sample("Sources/A/B.swift", "package struct ImportJob: Sendable {}\n"),
        ],
        good: [
            Sample("Sources/A/B.swift", "class func manager() {}\nstruct Webhook {}\nprotocol Database {}\n"),
            Sample("Sources/A/B.swift", "// struct ImportJob\n"),
        ],
        where: { $0.isSwift },
        eachFile: { file in
            file.code.enumerated().flatMap { index, line in
                declaredTypes(line).compactMap { name in
                    let found =
                        endings.first { name.hasSuffix($0.ending) }
                        ?? (drawers.contains(name) ? ("", "what it is") : nil)
                    return found.map { (index + 1, "\(name): name it after \($0.instead)") }
                }
            }
        }),
    Rule(
        "A Swift file lies at most three folders below its target",
        bad: [Sample("Sources/A/B/C/D/E/F.swift", "a\n", line: 0)],
        good: [Sample("Sources/A/B/C/D/F.swift", "a\n")],
        where: { $0.isSwift && $0.target != nil },
        eachFile: { file in
            file.path.split(separator: "/").count > 6 ? [(0, "move it up: the tree is at most three folders deep")] : []
        }),
]
