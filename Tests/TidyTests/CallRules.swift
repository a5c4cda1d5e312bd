/// A call that has a better one here.
private struct Ban: Sendable {
    let word: String
    let instead: String
    let applies: @Sendable (TextFile) -> Bool

    init(_ word: String, in applies: @escaping @Sendable (TextFile) -> Bool = isSource, _ instead: String) {
        self.word = word
        self.instead = instead
        self.applies = applies
    }
}

@Sendable private func isSource(_ file: TextFile) -> Bool { file.isSwift && file.path.hasPrefix("Sources/") }
@Sendable private func isSilent(_ file: TextFile) -> Bool { isSource(file) && file.target != "tradewind" }
@Sendable private func isTest(_ file: TextFile) -> Bool {
    file.isSwift && (file.path.hasPrefix("Tests/") || ["TestSupport", "StorageTesting"].contains(file.target))
}
@Sendable private func isAny(_ file: TextFile) -> Bool { file.isSwift }
@Sendable private func isOurs(_ file: TextFile) -> Bool { isSource(file) || isTest(file) }

private let bans: [Ban] = [
    Ban("JSONSerialization", "use JSONValue or JSONScan of Kernel, which keep the digits of numbers"),
    Ban("String(format:", "use interpolation, or print the digits into bytes"),
    Ban("DateFormatter", "use Timestamp of Kernel"),
    Ban("ISO8601DateFormatter", "use Timestamp of Kernel"),
    Ban("Date()", "take a TimeSource and ask it for now()"),
    Ban("UUID()", "take an IDGenerator and ask it for next()"),
    Ban("try!", in: isAny, "throw, or state the reason with preconditionFailure"),
    Ban("as!", in: isAny, "use as? and say what follows when it is nil"),
    Ban("fatalError(", in: isAny, "throw, make the state impossible, or preconditionFailure with a sentence"),
    Ban("import XCTest", in: isAny, "use Swift Testing"),
    Ban("print(", in: isSilent, "log through the Logger that the type was given"),
    Ban("Thread.sleep", in: isOurs, "wait for what shall happen: a continuation, a test clock, a gate"),
    Ban("usleep(", in: isOurs, "wait for what shall happen: a continuation, a test clock, a gate"),
    Ban(
        "Task.sleep", in: isTest, "wait for what shall happen: a test clock, a gate, a polled condition"),
    Ban("ContinuousClock().sleep", in: isTest, "wait for what shall happen: a test clock, a gate"),
    Ban("catch {}", in: isAny, "handle the error or let it through"),
]

/// Whether a word stands in a line with no letter directly before it, so that `reprint(` is no `print(`.
private func stands(_ word: String, in line: String) -> Bool {
    var rest = Substring(line)
    while let range = rest.firstRange(of: word) {
        let before = rest[..<range.lowerBound].last ?? line[..<range.lowerBound].last ?? " "
        if !before.isLetter && !before.isNumber && before != "_" { return true }
        rest = rest[range.upperBound...]
    }
    return false
}

let callRules: [Rule] = [
    Rule(
        "Calls that have a better one here are not made",
        bad: [
            Sample("Sources/A/B.swift", "let a = 1\nlet b = try! c()\n", line: 2),
            Sample("Sources/A/B.swift", "x = JSONSerialization.data(y)\n"),
            Sample("Sources/A/B.swift", "print(a)\n"),
            Sample("Sources/A/B.swift", "f(\"\\(a as! B)\")\n"),
            Sample("Sources/TestSupport/B.swift", "try await Task.sleep(for: a)\n"),
            Sample("Tests/ATests/B.swift", "try await Task.sleep(for: a)\n"),
            Sample("Tests/ATests/B.swift", "do { try a() } catch {}\n"),
        ],
        good: [
            Sample("Sources/A/B.swift", "// try! print(\nlet a = \"as! B\"\nreprint(a)\n"),
            Sample("Sources/A/B.swift", "try await Task.sleep(for: a)\n"),
            Sample("Sources/tradewind/B.swift", "print(a)\n"),
        ],
        where: isAny,
        eachFile: { file in
            let whole = file.code.joined(separator: "\n")
            return bans.filter { $0.applies(file) && whole.contains($0.word) }.flatMap { ban in
                file.code.enumerated().compactMap { index, line in
                    stands(ban.word, in: line) ? (index + 1, "\(ban.word) – \(ban.instead)") : nil
                }
            }
        }),
    Rule(
        "A revealed secret is not put into a text",
        bad: [Sample("Sources/A/B.swift", "log(\"key\", \"\\(key.reveal(for: \"log\"))\")\n")],
        good: [Sample("Sources/A/B.swift", "sign(key.reveal(for: \"signing\"))\nlet a = \"\\(key) .reveal\"\n")],
        where: isAny,
        eachFile: { file in
            file.interpolations.enumerated().compactMap { index, line in
                line.contains(".reveal") ? (index + 1, "pass the bytes to what needs them; a text shows ***") : nil
            }
        }),
    Rule(
        "Unfinished work is not left in a comment",
        bad: [
            Sample("Sources/A/B.swift", "let a = 1  // TO" + "DO: more\n"),
            Sample("scripts/a", "#!/bin/sh\n# FIX" + "ME later\n", line: 2),
        ],
        good: [Sample("Sources/A/B.swift", "let a = \"TO" + "DO\"\n")],
        where: { !$0.isRecorded },
        eachFile: { file in
            let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
            return (file.isSwift ? file.comments : file.lines).enumerated().compactMap { index, line in
                marks.contains { stands($0, in: line) }
                    ? (index + 1, "finish it, or describe the limit in docs/limits.md") : nil
            }
        }),
]
