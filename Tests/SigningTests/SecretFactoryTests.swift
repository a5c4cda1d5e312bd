import Kernel
import Testing

@testable import Signing

@Suite struct SecretFactoryTests {
    private struct Congruential: RandomNumberGenerator, Sendable {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    @Test("An inbound secret is 40 plain letters and digits")
    func inbound() {
        let text = SecretFactory().inboundSecret().revealText(for: "test")

        #expect(text.utf8.count == 40)
        #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
    }

    @Test("An outbound secret is whsec_ and the base64 text of 32 bytes, which Standard Webhooks signs with")
    func outbound() throws {
        let text = SecretFactory().outboundSecret().revealText(for: "test")

        #expect(text.hasPrefix("whsec_"))
        #expect(try #require(Base64.decode(text.dropFirst(6))).count == 32)
    }

    @Test("Secrets differ from call to call and follow the generator that was given")
    func generator() {
        let (one, two) = (SecretFactory(random: Congruential(state: 1)), SecretFactory(random: Congruential(state: 1)))

        let first = one.inboundSecret()
        #expect(first == two.inboundSecret())
        #expect(first != one.inboundSecret())
        #expect(one.bytes(32) != one.bytes(32))
        #expect(one.bytes(7).count == 7)
        let system = SecretFactory()
        #expect(Set((0..<100).map { _ in system.plainText(characters: 20) }).count == 100)
    }

    @Test("All 62 characters occur about equally often")
    func distribution() {
        let text = SecretFactory(random: Congruential(state: 42)).plainText(characters: 62_000)
        var counts: [Character: Int] = [:]
        for character in text { counts[character, default: 0] += 1 }

        #expect(counts.count == 62)
        #expect(counts.values.allSatisfy { (800...1200).contains($0) })
    }
}
