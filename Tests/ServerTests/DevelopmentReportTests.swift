import Commerce
import Events
import Kernel
import Server
import Testing

@Suite struct DevelopmentReportTests {
    @Test("Columns are as wide as their widest cell, and no line ends with a blank")
    func columns() {
        let lines = DevelopmentReport.table("orders", ["order", "from"], [["39", "woocommerce"], ["DEV-1001", ""]])
        #expect(
            lines == [
                "orders",
                "  order     from",
                "  39        woocommerce",
                "  DEV-1001",
            ])
    }

    @Test("A table without rows still says what it would show")
    func emptyTable() {
        #expect(DevelopmentReport.table("orders", ["order", "from"], []) == ["orders", "  order  from"])
    }

    @Test(
        "Text of others can neither steer the terminal nor fill it",
        arguments: [
            ("\u{1B}[2Jgone", "?[2Jgone"), ("a\nb\r\u{7}", "a?b??"), ("rtl\u{202E}x", "rtl?x"), ("湯のみ ☕", "湯のみ ☕"),
            (String(repeating: "x", count: 80), String(repeating: "x", count: 69) + "…"),
        ])
    func foreignText(text: String, shown: String) {
        #expect(DevelopmentReport.table("t", ["a"], [[text]]).last == "  \(shown)")
    }

    @Test("An order's row has its money in its currency, its matched lines and each event with its count")
    func order() throws {
        let order = DevelopmentSamples.order(lines: [.sku, .unmatched, .sku])
        let told = ["order.updated", "order.created", "order.updated"].map { event in
            DevelopmentReport.Played(event: event, note: "", answer: "accepted", outcome: "processed", order: order.id)
        }
        let other = DevelopmentReport.Played(
            event: "product.updated", note: "", answer: "accepted", outcome: "ignored", order: nil)
        let row = try #require(DevelopmentReport.orders([order], told: told + [other]).last)
        #expect(
            row == "  39     woocommerce  processing  JPY 6440  2 of 3, partial  order.updated ×2, order.created")
    }

    @Test(
        "Lines that the source dropped and fees are not counted as lines to match",
        arguments: [
            ([LineMatch.sku, .sku], "2 of 2, full"), ([.unmatched], "0 of 1, none"), ([], "0 of 0, none"),
            ([.sku, .ambiguous], "1 of 2, partial"),
        ])
    func matched(lines: [LineMatch], text: String) {
        var order = DevelopmentSamples.order(lines: lines)
        order.lines.append(DevelopmentSamples.line("dropped", .unmatched, current: 0))
        order.lines.append(DevelopmentSamples.line("fee:1", .unmatched, current: 1))
        #expect(DevelopmentReport.matched(order) == text)
    }

    @Test("An arrival tells from when its time counts, and shouts when a signature does not hold")
    func arrivals() {
        let posted = DevelopmentSamples.arrival(isVerified: true, isSincePost: true)
        let forged = DevelopmentSamples.arrival(isVerified: false, isSincePost: false)
        let lines = DevelopmentReport.arrivals([posted, forged])
        #expect(lines.dropFirst(2).first == "  order.created  39     verified      12 ms")
        #expect(lines.last == "  order.created  39     NOT VERIFIED  12 ms after the event")
        #expect(
            DevelopmentReport.line(forged) == "01:29:06.000Z  order.created  39  NOT VERIFIED  12 ms after the event")
    }

    @Test("Progress is one line that is written over on a terminal, and a line a step elsewhere")
    func progress() {
        let terminal = DevelopmentSamples.progress(isTerminal: true)
        #expect(terminal == "\rplaying  0/2\rplaying  1/2\rplaying  2/2\n")
        #expect(DevelopmentSamples.progress(isTerminal: false) == "playing  1/2  step 1\nplaying  2/2  step 2\n")
    }
}
