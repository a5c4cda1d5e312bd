import CatalogFeed
import Testing

@Suite("Plain text of what shops write")
struct PlainTextTests {
    struct Case: Sendable {
        let source: String
        let text: String
    }

    static let cases = [
        Case(source: "<p>Stoneware &amp; \"glazed\" mug</p>\n", text: "Stoneware & \"glazed\" mug"),
        Case(source: "a<br>b<br/>c<p>d</p>", text: "a\nb\nc\nd"),
        Case(source: "<ul><li>one</li><li>two</li></ul>", text: "one\ntwo"),
        Case(source: "<b>bold</b>er", text: "bolder"),
        Case(source: "x<script>alert('</b>')</script>y", text: "xy"),
        Case(source: "x<SCRIPT src=a>evil</sCript >y<style>p{}</style>z", text: "xyz"),
        Case(source: "x<script>never closed", text: "x"),
        Case(source: "x<!-- <b>hidden</b> -->y", text: "xy"),
        Case(source: "<a title=\"a > b\" href='x'>link</a>", text: "link"),
        Case(source: "&lt;script&gt;alert(1)&lt;/script&gt;ok", text: "ok"),
        Case(source: "&amp;lt;b&amp;gt;deep&amp;lt;/b&amp;gt;", text: "deep"),
        Case(source: "&amp;amp;amp;amp;amp;lt;b&amp;amp;amp;amp;amp;gt;", text: "&amp;lt;b&amp;gt;"),
        Case(source: "1 < 2 and 3 > 2", text: "1 < 2 and 3 > 2"),
        Case(source: "caf&eacute; &#8364;5 &#x2615; &nope; &", text: "caf\u{E9} \u{20AC}5 \u{2615} &nope; &"),
        Case(source: "a&nbsp;&nbsp;b\t c", text: "a b c"),
        Case(source: "nul\u{0} bell\u{7} esc\u{1B}[31m bom\u{FEFF} rlo\u{202E}x", text: "nul bell esc[31m bom rlox"),
        Case(source: "  lead\n\n\n\ntail  ", text: "lead\ntail"),
        Case(source: "&#0;&#xD800;a", text: "&#0;&#xD800;a"),
        Case(source: "<", text: "<"),
        Case(source: "a<b", text: "a"),
        Case(source: "", text: ""),
        Case(source: "\u{6E6F}\u{306E}\u{307F}", text: "\u{6E6F}\u{306E}\u{307F}"),
    ]

    @Test("Markup goes, its breaks stay, entities become characters", arguments: cases)
    func text(_ one: Case) {
        #expect(PlainText.text(one.source) == one.text)
    }

    @Test("A line has no breaks")
    func line() {
        #expect(PlainText.line("a<br>b\nc\u{2028}d") == "a b c d")
    }

    @Test("Whatever is written, no markup comes out", arguments: 0..<200)
    func hostile(_ seed: UInt64) {
        let pieces = [
            "<", ">", "&lt;", "&gt;", "&amp;", "script", "/", "!--", "-->", "\"", "'", "b", "&#60;", "&#x3c;", ";", "=",
            "lt", "<svg", "onload", " ",
        ]
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        var source = ""
        for _ in 0..<30 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            source += pieces[Int(state >> 33) % pieces.count]
        }
        let bytes = Array(PlainText.text(source).utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "<") && index + 1 < bytes.count {
            let next = bytes[index + 1]
            #expect(!(97...122).contains(next | 0x20) && !"/!?".utf8.contains(next), "\(source)")
        }
    }
}
