import HTTPTypes
import Kernel
import Testing

@testable import API

@Suite("Conditions and ranges of file requests")
struct FileConditionsTests {
    struct Case: Sendable {
        let headers: HTTPFields
        let answer: FileConditions.Answer
    }

    private static let tag = "\"abc\""
    /// Sun, 06 Nov 1994 08:49:37 GMT and a half second.
    private static let changedAt = Timestamp(milliseconds: 784_111_777_500)
    private static let then = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let before = "Sun, 06 Nov 1994 08:49:36 GMT"

    private static let cases = [
        Case(headers: [:], answer: .whole),
        Case(headers: [.ifNoneMatch: "\"abc\""], answer: .notModified),
        Case(headers: [.ifNoneMatch: "\"x\", W/\"abc\""], answer: .notModified),
        Case(headers: [.ifNoneMatch: "*"], answer: .notModified),
        Case(headers: [.ifNoneMatch: "\"x\"", .ifModifiedSince: then], answer: .whole),
        Case(headers: [.ifModifiedSince: then], answer: .notModified),
        Case(headers: [.ifModifiedSince: before], answer: .whole),
        Case(headers: [.ifModifiedSince: "yesterday"], answer: .whole),
        Case(headers: [.ifMatch: "\"x\""], answer: .preconditionFailed),
        Case(headers: [.ifMatch: "W/\"abc\""], answer: .preconditionFailed),
        Case(headers: [.ifMatch: "\"abc\"", .ifNoneMatch: "\"abc\""], answer: .notModified),
        Case(headers: [.ifUnmodifiedSince: before], answer: .preconditionFailed),
        Case(headers: [.ifUnmodifiedSince: then], answer: .whole),
        Case(headers: [.range: "bytes=0-0"], answer: .part(0..<1)),
        Case(headers: [.range: "bytes=10-"], answer: .part(10..<100)),
        Case(headers: [.range: "bytes=-10"], answer: .part(90..<100)),
        Case(headers: [.range: "bytes=-1000"], answer: .part(0..<100)),
        Case(headers: [.range: "bytes=90-1000"], answer: .part(90..<100)),
        Case(headers: [.range: "bytes=100-"], answer: .unsatisfiable),
        Case(headers: [.range: "bytes=-0"], answer: .unsatisfiable),
        Case(headers: [.range: "bytes=5-4"], answer: .whole),
        Case(headers: [.range: "bytes=0-1,5-6"], answer: .whole),
        Case(headers: [.range: "items=0-1"], answer: .whole),
        Case(headers: [.range: "bytes=a-b"], answer: .whole),
        Case(headers: [.range: "bytes=99999999999999999999-"], answer: .whole),
        Case(headers: [.range: "bytes=0-9", .ifRange: "\"abc\""], answer: .part(0..<10)),
        Case(headers: [.range: "bytes=0-9", .ifRange: "\"x\""], answer: .whole),
        Case(headers: [.range: "bytes=0-9", .ifRange: "W/\"abc\""], answer: .whole),
        Case(headers: [.range: "bytes=0-9", .ifRange: then], answer: .part(0..<10)),
        Case(headers: [.range: "bytes=0-9", .ifRange: before], answer: .whole),
        Case(headers: [.range: "bytes=0-9", .ifNoneMatch: "\"abc\""], answer: .notModified),
    ]

    @Test("Each request gets the answer that RFC 9110 gives it", arguments: cases)
    func answers(_ one: Case) {
        let answer = FileConditions.answer(to: one.headers, tag: Self.tag, changedAt: Self.changedAt, count: 100)
        #expect(answer == one.answer, "\(one.headers)")
    }

    @Test("A range of nothing can't be met, and HEAD has no ranges")
    func edges() {
        func answer(_ range: String, count: Int, isGet: Bool = true) -> FileConditions.Answer {
            FileConditions.answer(
                to: [.range: range], tag: Self.tag, changedAt: Self.changedAt, count: count, isGet: isGet)
        }
        #expect(answer("bytes=0-", count: 0) == .unsatisfiable && answer("bytes=-5", count: 0) == .unsatisfiable)
        #expect(answer("bytes=0-1", count: 10, isGet: false) == .whole)
    }

    @Test("Gzip is sent to those who take it")
    func encodings() {
        for text in ["gzip", "br, GZIP;q=0.5", "*", "deflate, x-gzip", "gzip ; q=1"] {
            #expect(FileConditions.takesGzip([.acceptEncoding: text]), "\(text)")
        }
        for text in ["", "identity", "gzip;q=0", "gzip;q=0.000, *", "br", "*;q=0"] {
            #expect(!FileConditions.takesGzip([.acceptEncoding: text]), "\(text)")
        }
        #expect(!FileConditions.takesGzip([:]))
    }
}
