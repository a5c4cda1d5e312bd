import Foundation
import TestSupport
import Testing

@Suite("Tidy", .isLongWork)
struct TidyTests {
    @Test("The repository keeps to its rules", arguments: Rule.all)
    func repositoryKeepsTo(_ rule: Rule) {
        for violation in rule.check(Tree.repository) {
            Issue.record(Comment(rawValue: violation.description))
        }
    }

    @Test("Each rule finds what is wrong in its bad samples, at the right line", arguments: Rule.all)
    func findsBadSamples(of rule: Rule) {
        #expect(!rule.bad.isEmpty)
        for sample in rule.bad {
            let found = rule.check(sample.tree)
            #expect(found.map(\.line) == [sample.line], "\(found)")
        }
    }

    @Test("Each rule accepts its good samples", arguments: Rule.all)
    func acceptsGoodSamples(of rule: Rule) {
        #expect(!rule.good.isEmpty)
        for sample in rule.good {
            #expect(rule.check(sample.tree) == [])
        }
    }

    @Test("The repository was found, with its sources and scripts")
    func repositoryWasFound() {
        #expect(Tree.repository["Package.swift"] != nil)
        #expect(Tree.repository["Sources/Kernel/ID.swift"] != nil)
        #expect(Tree.repository.executables.contains("scripts/test"))
    }

    @Test("The formatter finds nothing to change")
    func formatterFindsNothing() throws {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = Tree.root.appendingPathComponent("scripts/format")
        process.arguments = ["--check"]
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "run scripts/format\n\(String(decoding: output, as: UTF8.self))")
    }
}

@Suite("Telling code from text")
struct SwiftScannerTests {
    private func code(_ text: String) -> String {
        String(decoding: SwiftScanner(text).code, as: UTF8.self)
    }

    @Test(
        "Comments and literals are blank, code and interpolations are not",
        arguments: [
            ("let a = 1 // b", "let a = 1     "),
            ("/* a /* b */ c */ d", "                  d"),
            (#"f("a { b")"#, #"f("     ")"#),
            (#"f("a \(b) c")"#, #"f("    b   ")"#),
            (#"f("a \"b\" c") + d"#, #"f("         ") + d"#),
            (##"f(#"a " \(b)"#) + c"##, ##"f( "        " ) + c"##),
            ("f(\"\"\"\n a \"b\"\n \"\"\") + d", "f(\"  \n      \n \"  ) + d"),
            (#"f("\(g("x"))") + h"#, #"f("  g(" ") ") + h"#),
            ("#expect(a)", "#expect(a)"),
        ])
    func blanks(_ text: String, _ expected: String) {
        #expect(code(text) == expected)
    }

    @Test("Comments and interpolations have views of their own")
    func views() {
        let scanner = SwiftScanner("a // b\nf(\"c \\(d)\")")
        #expect(String(decoding: scanner.comments, as: UTF8.self) == "  // b\n           ")
        #expect(String(decoding: scanner.interpolations, as: UTF8.self) == "      \n       d   ")
    }
}
