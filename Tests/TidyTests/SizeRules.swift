private let written: [String] = [".swift", ".sql", ".md", ".css", ".js", ".py", ".mustache"]

private func isWritten(_ file: TextFile) -> Bool {
    !file.isRecorded
        && (written.contains { file.path.hasSuffix($0) } || file.path.hasPrefix("scripts/")
            || file.path.hasPrefix(".ci/"))
}

private func lines(_ count: Int, _ text: String = "let a = 1\n") -> String { String(repeating: text, count: count) }

let sizeRules: [Rule] = [
    Rule(
        "A Swift file has at most 400 lines",
        bad: [Sample("Sources/A/B.swift", lines(401), line: 401)],
        good: [Sample("Sources/A/B.swift", lines(400)), Sample("docs/long.md", lines(500))],
        where: { $0.isSwift },
        eachFile: { file in
            file.lines.count <= 400
                ? []
                : [(file.lines.count, "\(file.lines.count) lines: move a part that has a name of its own to its file")]
        }),
    Rule(
        "A function has at most 60 lines",
        bad: [
            Sample("Sources/A/B.swift", "let a = 1\nfunc b() {\n\(lines(59))}\n", line: 2),
            Sample("Sources/A/B.swift", "init(\n    a: Int\n) {\n\(lines(57))}\n"),
            Sample("Tests/A/B.swift", "@Test func b() {\n\(lines(59, "\"}\" // }\n"))}\n"),
            Sample("Sources/A/B.swift", "var b: Int {\n\(lines(59))}\n"),
        ],
        good: [
            Sample("Sources/A/B.swift", "func b() {\n\(lines(58))}\n"),
            Sample(
                "Sources/A/B.swift", "protocol A {\n    func b()\n    func c() -> Int\n}\nenum C {\n\(lines(70))}\n"),
            Sample("Sources/A/B.swift", "let b = C.init()\nstruct D {\n    var e: Int\n\(lines(70))}\n"),
        ],
        where: { $0.isSwift },
        eachFile: { file in
            FunctionMeasure(file.code).functions.filter { $0.lines > 60 }.map {
                ($0.line, "\($0.name) has \($0.lines) lines: give its steps names and functions of their own")
            }
        }),
    Rule(
        "A line has at most 120 columns, apart from the rows of a Markdown table",
        bad: [
            Sample("Sources/A/B.swift", "a\n" + lines(121, "x"), line: 2),
            Sample("scripts/a", lines(121, "é")),
        ],
        good: [
            Sample("Sources/A/B.swift", lines(120, "é")),
            Sample("docs/a.md", "| " + lines(140, "x")),
            Sample("Tests/A/Vectors/a.sql", lines(140, "x")),
        ],
        where: isWritten,
        eachFile: { file in
            file.lines.enumerated().compactMap { index, line in
                if line.utf8.count <= 120 || line.count <= 120 { return nil }
                if file.path.hasSuffix(".md") && line.hasPrefix("|") { return nil }
                return (index + 1, "\(line.count) columns: break the line")
            }
        }),
]

let whiteSpaceRules: [Rule] = [
    Rule(
        "No tabs, no spaces at the end of a line, one line break at the end of a file",
        bad: [
            Sample("Sources/A/B.swift", "a\n\tb\n", line: 2),
            Sample("docs/a.md", "a \n"),
            Sample("scripts/a", "a\nb", line: 2),
            Sample("scripts/a", "a\n\n", line: 2),
        ],
        good: [Sample("Sources/A/B.swift", "a\n    b\n"), Sample("Tests/A/Fixtures/a.sql", "a \t")],
        where: isWritten,
        eachFile: { file in
            var found: [(line: Int, advice: String)] = file.lines.enumerated().compactMap { index, line in
                if line.contains("\t") { return (index + 1, "a tab: indent by four spaces") }
                return line.last == " " ? (index + 1, "spaces at the end of the line: remove them") : nil
            }
            if !file.text.isEmpty && (!file.text.hasSuffix("\n") || file.text.hasSuffix("\n\n")) {
                found.append((file.lines.count, "end the file with one line break"))
            }
            return found
        })
]
