import Foundation
import Kernel
import TestSupport
import Testing

@Suite("What the tests stand on")
struct TestSupportTests {
    @Test("A seed repeats its numbers, and they are SplitMix64's")
    func random() {
        var first = SeededRandom(seed: 1_234_567)
        let numbers = (0..<3).map { _ in first.next() }
        #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    @Test("A clock moves only when it is told to, and takes its followers with it")
    func clock() {
        let time = ManualTime(Timestamp(milliseconds: 1000))
        let other = ManualTime(Timestamp(milliseconds: 0))
        let number = time.follow { other.set($0) }
        #expect(other.now == Timestamp(milliseconds: 1000))
        time.advance(by: .milliseconds(5))
        #expect(time.source.now() == Timestamp(milliseconds: 1005))
        #expect(other.now == time.now)
        time.unfollow(number)
        time.set(Timestamp(milliseconds: 7))
        #expect(other.now == Timestamp(milliseconds: 1005))
    }

    @Test("A folder is empty, and gone afterwards, also when its body fails")
    func folder() async throws {
        struct Stop: Error {}
        var path = ""
        await #expect(throws: Stop.self) {
            try await withTemporaryFolder { folder in
                path = folder
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
                try Data([1]).write(to: URL(fileURLWithPath: folder + "/file"))
                throw Stop()
            }
        }
        #expect(!path.isEmpty && !FileManager.default.fileExists(atPath: path))
    }
}
