import HTTPTypes
import TestSupport
import Testing

@testable import DeliveryClient

/// One answer as it goes on the wire, and what is to be read from it.
private struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var wire: String
    var status = 200
    var body = ""
    var keepsAlive = true
    /// Whether the peer closes behind it.
    var closes = false

    var testDescription: String { name }
}

private let good: [Case] = [
    Case(name: "length", wire: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", body: "abc"),
    Case(name: "no reason", wire: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
    Case(name: "line feeds alone", wire: "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", body: "abc"),
    Case(name: "length given twice", wire: "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc", body: "abc"),
    Case(name: "204 with a length", wire: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", status: 204),
    Case(name: "304", wire: "HTTP/1.1 304 Not Modified\r\n\r\n", status: 304),
    Case(
        name: "interim answers",
        wire: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            + "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", status: 202),
    Case(
        name: "101 is an end", wire: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", status: 101),
    Case(
        name: "chunks",
        wire: "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
            + "3\r\nabc\r\n00A ;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", body: "abc0123456789"),
    Case(
        name: "chunks and trailers",
        wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
            + "1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n", body: "a"),
    Case(
        name: "chunks and a length",
        wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n"
            + "1\r\na\r\n0\r\n\r\n", body: "a", keepsAlive: false),
    Case(name: "no length", wire: "HTTP/1.1 200 OK\r\n\r\nto the end", body: "to the end", closes: true),
    Case(
        name: "an encoding that isn't chunked", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        body: "abc", closes: true),
    Case(
        name: "close", wire: "HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\nContent-Length: 0\r\n\r\n",
        keepsAlive: false),
    Case(name: "HTTP/1.0", wire: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", body: "a", keepsAlive: false),
    Case(
        name: "HTTP/1.0 that keeps", wire: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
        body: "a"),
    Case(
        name: "a folded field", wire: "HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nContent-Length:\t1 \r\n\r\na", body: "a"),
]

private let bad: [(String, String)] = [
    ("other words", "SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n"),
    ("HTTP/2", "HTTP/2 200 OK\r\n\r\n"),
    ("no status", "HTTP/1.1 OK all\r\n\r\n"),
    ("a long status", "HTTP/1.1 2000 OK\r\n\r\n"),
    ("a status below 100", "HTTP/1.1 099 OK\r\n\r\n"),
    ("a field without a colon", "HTTP/1.1 200 OK\r\nabc\r\n\r\n"),
    ("a field without a name", "HTTP/1.1 200 OK\r\n: abc\r\n\r\n"),
    ("a space in a name", "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n"),
    ("a fold without a field", "HTTP/1.1 200 OK\r\n a: b\r\n\r\n"),
    ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"),
    ("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n"),
    ("a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n"),
    ("an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"),
    ("a huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"),
    ("too many fields", "HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 300) + "\r\n"),
    ("a long field", "HTTP/1.1 200 OK\r\nA: " + String(repeating: "b", count: 33_000) + "\r\n\r\n"),
    ("an endless head", "HTTP/1.1 200 OK\r\nA: " + String(repeating: "b", count: 200_000)),
    ("endless interim answers", String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 2000)),
    ("a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n;a\r\n"),
    ("a chunk with a wrong size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"),
    ("a chunk too long", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n"),
    (
        "a chunk's endless line",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: "0", count: 2000)
    ),
    (
        "endless trailers",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            + String(repeating: "A: b\r\n", count: 10_000)
    ),
]

@Suite struct AnswerReaderTests {
    @Test("An answer is read alike whole, byte by byte and cut anywhere", arguments: good)
    fileprivate func goodAnswers(_ answer: Case) throws {
        var random = SeededRandom(seed: 7)
        let wire = Array(answer.wire.utf8)
        for run in 0..<20 {
            var reader = AnswerReader()
            reader.expect(afterHEAD: false, keptLimit: 100)
            #expect(reader.isUntouched)
            var progress = AnswerReader.Progress.more
            var at = 0
            while at < wire.count, progress == .more {
                let most = run == 0 ? wire.count : run == 1 ? 1 : Int.random(in: 1...9, using: &random)
                let end = min(wire.count, at + most)
                progress = wire[at..<end].withUnsafeBytes { reader.read($0) }
                at = end
                #expect(!reader.isUntouched)
            }
            if answer.closes {
                #expect(progress == .more)
                progress = reader.end()
            }
            #expect(progress == .ended(withLeftover: false))
            #expect(at == wire.count)
            let head = try #require(reader.head)
            #expect(head.status == answer.status)
            #expect(head.keepsAlive == answer.keepsAlive)
            #expect(String(decoding: reader.kept, as: UTF8.self) == answer.body)
        }
    }

    @Test("What is no answer is found out, whole or byte by byte, before it is held without bound")
    func badAnswers() {
        for (name, text) in bad {
            let wire = Array(text.utf8)
            for step in [wire.count, 1] {
                var reader = AnswerReader()
                reader.expect(afterHEAD: false, keptLimit: 100)
                var progress = AnswerReader.Progress.more
                for start in stride(from: 0, to: wire.count, by: step) where progress == .more {
                    progress = wire[start..<(start + step)].withUnsafeBytes { reader.read($0) }
                }
                if case .failed = progress { continue }
                Issue.record("\(name): \(progress)")
            }
        }
    }

    @Test("Fields come in their order, with their values trimmed and folded lines joined")
    func fields() throws {
        let head = try self.head(
            "HTTP/1.1 200 OK\r\nB:  1\t\r\nA: x y\r\nB: 2\r\n 3\r\nKeep-Alive: timeout=5, max=9\r\n\r\n")
        #expect(head.fields.map { "\($0.name.rawName)=\($0.value)" }.prefix(3) == ["B=1", "A=x y", "B=2 3"])
        #expect(head.keepAliveSeconds == 5)
        #expect(head.framing == .untilClose)
    }

    @Test("A head that comes again is read to the same")
    func repeated() throws {
        var reader = AnswerReader()
        for number in 0..<3 {
            let wire = Array("HTTP/1.1 200 OK\r\nA: \(number / 2)\r\nContent-Length: 1\r\n\r\n\(number)".utf8)
            reader.expect(afterHEAD: false, keptLimit: 10)
            #expect(wire.withUnsafeBytes { reader.read($0) } == .ended(withLeftover: false))
            #expect(try #require(reader.head).fields[try #require(HTTPField.Name("a"))] == "\(number / 2)")
            #expect(reader.kept == Array("\(number)".utf8))
        }
    }

    @Test("After a HEAD there is no body, whatever its length says")
    func afterHEAD() {
        var reader = AnswerReader()
        reader.expect(afterHEAD: true, keptLimit: 10)
        let wire = Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".utf8)
        #expect(wire.withUnsafeBytes { reader.read($0) } == .ended(withLeftover: false))
    }

    @Test("The kept part is told once when it is full, bytes behind the answer are told of")
    func keptAndLeftover() {
        var reader = AnswerReader()
        reader.expect(afterHEAD: false, keptLimit: 2)
        let first = Array("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc".utf8)
        #expect(first.withUnsafeBytes { reader.read($0) } == .full)
        #expect(reader.mayDrain(within: 3))
        #expect(!reader.mayDrain(within: 2))
        #expect(Array("de".utf8).withUnsafeBytes { reader.read($0) } == .more)
        #expect(Array("fg".utf8).withUnsafeBytes { reader.read($0) } == .ended(withLeftover: true))
        #expect(reader.kept == Array("ab".utf8))
        #expect(reader.bodyBytes == 6)
    }

    @Test("Any bytes end in an answer, in a failure or in waiting for more, and never in more than the bounds")
    func noise() {
        let pieces = [
            "HTTP/1.1 ", "200", " OK", "\r\n", "\n", "\r", ":", "Content-Length: ", "5", "Transfer-Encoding: chunked",
            "\r\n\r\n", "0", "a", "Connection: close", " ", "\u{0}", "ÿ", "HTTP/1.1 100 Continue\r\n\r\n",
        ]
        var random = SeededRandom(seed: 42)
        for _ in 0..<5000 {
            var reader = AnswerReader()
            reader.expect(afterHEAD: false, keptLimit: 8)
            var isOver = false
            for _ in 0..<30 where !isOver {
                let bytes = Array((pieces.randomElement(using: &random) ?? "").utf8)
                switch bytes.withUnsafeBytes({ reader.read($0) }) {
                case .more, .full: break
                case .ended: isOver = reader.head != nil
                case .failed(let words): isOver = !words.isEmpty
                }
                #expect(reader.kept.count <= 8)
            }
            switch reader.end() {
            case .ended, .failed: break
            case .more, .full: Issue.record("an end is an end")
            }
        }
    }

    private func head(_ text: String) throws -> AnswerHead {
        var bytes = Array(text.utf8)
        return try bytes.withUnsafeMutableBytes { try AnswerHead(UnsafeRawBufferPointer($0)) }
    }
}
