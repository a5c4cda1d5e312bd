import Testing

@testable import Events

@Suite("Patterns in schemas")
struct SchemaPatternTests {
    private func matches(_ pattern: String, _ text: String) throws -> Bool {
        var steps = 1_000_000
        return try SchemaPattern(pattern).matches(text, steps: &steps)
    }

    @Test(
        "A pattern is searched for, as ECMA-262 says",
        arguments: [
            ("", "", true), ("a", "bab", true), ("^a", "ba", false), ("a$", "ab", false), ("^$", "", true),
            ("^$", "a", false), ("a|b", "xb", true), ("^(a|bc)+$", "abcbca", true), ("^(a|bc)+$", "abcb", false),
            ("^a{2,3}$", "a", false), ("^a{2,3}$", "aaa", true), ("^a{2,3}$", "aaaa", false),
            ("^a{2,}$", "aaaaa", true),
            ("^a{0}$", "", true), ("^a??b$", "ab", true), ("^[^a-c]$", "d", true), ("^[^a-c]$", "b", false),
            ("^[-a]$", "-", true), ("^[a-]$", "-", true), ("^[\\d.]+$", "1.5", true), ("^[\\]]$", "]", true),
            ("^\\w+@\\w+\\.\\w+$", "a@b.c", true), ("^.$", "\n", false), ("^.$", "👍", true), ("^\\S$", "\u{A0}", false),
            ("^\\u00e9$", "é", true), ("^\\x41$", "A", true), ("^(?:ab)?$", "ab", true), ("()*", "", true),
            ("^(a*)*$", "aaaa", true), ("^(a*)*$", "b", false), ("^[\\D]$", "1", false), ("[]", "a", false),
            ("^[^]$", "\n", true), ("a^", "a", false), ("^\\/$", "/", true), ("^(^a|b$)", "ab", true),
        ])
    func search(pattern: String, text: String, expected: Bool) throws {
        #expect(try matches(pattern, text) == expected)
    }

    @Test(
        "What would need memory, and what is no pattern, is refused",
        arguments: [
            "\\1", "(?=a)", "(?!a)", "(?<=a)", "(?<n>a)", "\\k<n>", "\\b", "\\p{L}", "a**", "a{2}{3}", "*", "(", ")",
            "[", "{", "}", "]", "a{3,2}", "a{1001}", "[b-a]", "[\\d-z]", "\\", "\\q", "\\xZZ", "\\ud800",
            "(((a{100}){100}){100})",
        ])
    func refused(pattern: String) {
        #expect(throws: SchemaPatternError.self) { try SchemaPattern(pattern) }
    }

    @Test("A pattern that ruins other engines costs in proportion to the text")
    func linear() throws {
        let pattern = try SchemaPattern("^(a|a)*(a|aa)*(a+)+$")
        func cost(_ count: Int) -> Int {
            var steps = Int.max
            #expect(!pattern.matches(String(repeating: "a", count: count) + "b", steps: &steps))
            return .max - steps
        }
        let (short, long) = (cost(1000), cost(10_000))
        #expect(long < short * 11)
    }

    @Test("Matching ends when its steps are spent")
    func spent() throws {
        var steps = 100
        #expect(try SchemaPattern("b").matches(String(repeating: "a", count: 100_000) + "b", steps: &steps) == false)
        #expect(steps < 0)
    }
}
