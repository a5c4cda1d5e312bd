/// The lines of a Markdown file outside its fences, or inside the fences of shell commands.
private struct Markdown {
    private(set) var prose: [(line: Int, text: String)] = []
    private(set) var commands: [(line: Int, text: String)] = []

    init(_ file: TextFile) {
        var fence: String?
        for (index, line) in file.lines.enumerated() {
            if line.trimmed.hasPrefix("```") {
                fence = fence == nil ? String(line.trimmed.dropFirst(3)) : nil
            } else if let language = fence {
                if ["sh", "bash", "console"].contains(language) { commands.append((index + 1, line)) }
            } else {
                prose.append((index + 1, line))
            }
        }
    }

    /// What stands between two marks on a line, as often as it occurs.
    static func between(_ open: String, _ close: String, in line: String) -> [String] {
        var found: [String] = []
        var rest = Substring(line)
        while let start = rest.firstRange(of: open) {
            rest = rest[start.upperBound...]
            guard let end = rest.firstRange(of: close) else { break }
            found.append(String(rest[..<end.lowerBound]))
            rest = rest[end.upperBound...]
        }
        return found
    }

    /// A heading's anchor, as forges make it.
    static func anchors(_ file: TextFile) -> Set<String> {
        Set(
            Markdown(file).prose.filter { $0.text.hasPrefix("#") }.map { heading in
                let title = heading.text.drop { $0 == "#" || $0 == " " }.lowercased()
                return String(
                    title.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" }.map { $0 == " " ? "-" : $0 })
            })
    }
}

/// A path seen from a file's folder, with `.` and `..` taken out; nil when it leaves the repository.
private func resolve(_ path: String, from folder: String) -> String? {
    var parts = folder.split(separator: "/").map(String.init)
    for part in path.split(separator: "/").map(String.init) where part != "." {
        if part != ".." {
            parts.append(part)
        } else if parts.popLast() == nil {
            return nil
        }
    }
    return parts.joined(separator: "/")
}

@Sendable private func brokenLinks(_ tree: Tree) -> [Violation] {
    tree.files.filter { $0.path.hasSuffix(".md") }.flatMap { file in
        Markdown(file).prose.flatMap { line, text in
            Markdown.between("](", ")", in: text).compactMap { target -> Violation? in
                if ["http:", "https:", "mailto:"].contains(where: { target.hasPrefix($0) }) { return nil }
                let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(
                    String.init)
                let path = parts[0].isEmpty ? file.path : resolve(parts[0], from: file.folder)
                guard let path, tree.has(path) else {
                    return Violation(path: file.path, line: line, advice: "\(target) leads nowhere: mend the link")
                }
                guard parts.count > 1, let page = tree[path], page.path.hasSuffix(".md") else { return nil }
                return Markdown.anchors(page).contains(parts[1])
                    ? nil : Violation(path: file.path, line: line, advice: "\(path) has no heading #\(parts[1])")
            }
        }
    }
}

private let ownFolders = ["Sources/", "Tests/", "scripts/", "docs/", ".ci/", "Benchmarks/", "examples/"]

@Sendable private func missingPaths(_ tree: Tree) -> [Violation] {
    tree.files.filter { $0.path.hasSuffix(".md") }.flatMap { file in
        Markdown(file).prose.flatMap { line, text in
            Markdown.between("`", "`", in: text).compactMap { code -> Violation? in
                let path = String(code.prefix { $0 != " " && $0 != ":" })
                let isPath = ownFolders.contains { path.hasPrefix($0) }
                if !isPath || path.contains(where: { "<>*…{}$".contains($0) }) || tree.has(path) { return nil }
                return Violation(path: file.path, line: line, advice: "\(path) does not exist: name what does")
            }
        }
    }
}

/// The verbs that the command line declares, with `commandName` or by a type's own name.
private func verbs(_ tree: Tree) -> Set<String> {
    var verbs: Set<String> = []
    for file in tree.under("Sources/tradewind/") where file.isSwift {
        for line in file.lines { verbs.formUnion(Markdown.between("commandName: \"", "\"", in: line)) }
        for line in file.code where line.contains("ParsableCommand") {
            let words = line.split { !$0.isLetter && !$0.isNumber }.map(String.init)
            if let at = words.firstIndex(of: "struct"), at + 1 < words.count {
                verbs.insert(words[at + 1].lowercased())
            }
        }
    }
    return verbs
}

@Sendable private func missingCommands(_ tree: Tree) -> [Violation] {
    let verbs = verbs(tree)
    return tree.files.filter { $0.path.hasSuffix(".md") }.flatMap { file in
        Markdown(file).commands.flatMap { line, text -> [Violation] in
            var found: [Violation] = []
            let words = text.split(separator: " ").map(String.init)
            for word in words where word.hasPrefix("scripts/") || word.hasPrefix("./scripts/") || word.hasPrefix(".ci/")
            {
                let path = word.hasPrefix("./") ? String(word.dropFirst(2)) : word
                if !tree.executables.contains(path) {
                    found.append(Violation(path: file.path, line: line, advice: "\(word) can't be run: name what can"))
                }
            }
            if let at = words.firstIndex(where: { $0 == "tradewind" || $0.hasSuffix("/tradewind") }),
                at + 1 < words.count
            {
                let verb = words[at + 1]
                if verb.allSatisfy({ $0.isLowercase }) && !verbs.contains(verb) {
                    found.append(Violation(path: file.path, line: line, advice: "tradewind has no verb \(verb)"))
                }
            }
            return found
        }
    }
}

@Sendable private func undescribedTargets(_ tree: Tree) -> [Violation] {
    guard let overview = tree["ARCHITECTURE.md"] else { return [] }
    let targets = Set(tree.files.filter { $0.isSwift }.compactMap { $0.target })
    return targets.sorted().filter { !overview.text.contains("`\($0)`") }.map {
        Violation(path: overview.path, line: 0, advice: "the target \($0) has no row in the table of targets: add it")
    }
}

let markdownRules: [Rule] = [
    Rule(
        "Each target is described in ARCHITECTURE.md",
        bad: [
            Sample(
                ["ARCHITECTURE.md": "| `A` | b |\n", "Sources/C/D.swift": "a\n", "Sources/A/B.swift": "a\n"], line: 0)
        ],
        good: [Sample(["ARCHITECTURE.md": "| `A` | b |\n", "Sources/A/B.swift": "a\n", "Sources/C/d.h": "a\n"])],
        check: undescribedTargets),
    Rule(
        "Links in documents lead somewhere",
        bad: [
            Sample("docs/a.md", "x\n[b](b.md)\n", line: 2),
            Sample(["docs/a.md": "[b](b.md#nothing)\n", "docs/b.md": "# Something\n"]),
            Sample("a.md", "[up](../b.md)\n"),
        ],
        good: [
            Sample(["docs/a.md": "[b](../b.md#two-words) [c](https://a.example)\n", "b.md": "## Two words\n"]),
            Sample("a.md", "```\n[b](b.md)\n```\n"),
        ],
        check: brokenLinks),
    Rule(
        "Paths in documents exist",
        bad: [Sample("docs/a.md", "See `Sources/A/B.swift`.\n")],
        good: [
            Sample(["docs/a.md": "See `Sources/A/`, `Sources/<Target>/`, `b/c`.\n", "Sources/A/B.swift": "a\n"])
        ],
        check: missingPaths),
    Rule(
        "Commands in documents can be run",
        bad: [
            Sample("README.md", "```sh\nscripts/go\n```\n", line: 2),
            Sample("README.md", "```sh\nls\ntradewind fly\n```\n", line: 3),
        ],
        good: [
            Sample(
                [
                    "README.md": "```sh\nscripts/a --fast\ntradewind dev --port 1\n```\n", "scripts/a": "b\n",
                    "Sources/tradewind/Dev.swift": "struct Dev: AsyncParsableCommand {\n",
                ], executables: ["scripts/a"])
        ],
        check: missingCommands),
]
