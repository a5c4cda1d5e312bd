import Crypto
import Foundation
import Kernel
import Testing

@testable import Signing

@Suite struct EncodingTests {
    @Test("Base64 agrees with Foundation for every length up to 70")
    func base64() {
        var random = SystemRandomNumberGenerator()
        for count in 0..<70 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = Base64.encode(bytes)
            #expect(text == Data(bytes).base64EncodedString())
            #expect(Base64.decode(text) == bytes)

            let url = Base64.encode(bytes, .url)
            #expect(!url.contains { "+/=".contains($0) })
            #expect(Base64.decode(url, .url) == bytes)
        }
    }

    @Test(
        "Base64 is refused when its padding, characters or left-over bits are not those of the one right spelling",
        arguments: [
            "=", "==", "====", "A", "AA", "AAA", "A===", "AA=", "AA=A", "AB==", "AAB=", "AAAA=", "AAAA====", "AA==AAAA",
            " AAAA", "AAAA\n", "AA A", "AA-A", "AA_A", "AAÄ", "AAA\u{0}",
        ])
    func refused(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(
        "The URL alphabet refuses padding and the other alphabet",
        arguments: ["AA==", "AA+A", "AA/A", "A", "AB", "AAB"])
    func refusedURL(_ text: String) {
        #expect(Base64.decode(text, .url) == nil)
    }

    @Test("SHA-256 gives the digests of FIPS 180-2's examples")
    func sha256() {
        #expect(
            hexText(ContentDigest.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hexText(ContentDigest.sha256([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("A digest of parts tells apart where one ends and the next begins")
    func parts() {
        let digests = [[[1, 2], [3]], [[1], [2, 3]], [[1, 2, 3]], [[], [1, 2, 3]], [[1, 2, 3], []]].map {
            ContentDigest.sha256(parts: $0)
        }
        #expect(Set(digests).count == digests.count)
        #expect(digests.allSatisfy { $0.count == 32 })
    }

    @Test("HMAC-SHA256 gives the codes of RFC 4231, in one part or several", arguments: [1, 3, 28])
    func hmac(_ split: Int) {
        let key = HMACSHA256.Key(Array("Jefe".utf8))
        let text = Array("what do ya want for nothing?".utf8)
        let code = HMACSHA256.code(key: key, over: Array(text[..<split]), [], Array(text[split...]))

        #expect(hexText(code.bytes) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(code.matches(code.bytes))
        #expect(!code.matches(Array(code.bytes.dropLast())))
        #expect(!code.matches(code.bytes + [0]))
        #expect(!code.matches([]))
    }

    @Test("A primed key can be used again and from several tasks at once")
    func reuse() async {
        let key = HMACSHA256.Key(Array("key".utf8))
        let expected = (0..<50).map { count in
            let key = SymmetricKey(data: Array("key".utf8))
            return [UInt8](HMAC<SHA256>.authenticationCode(for: [UInt8](repeating: 7, count: count), using: key))
        }

        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for count in 0..<50 {
                        let code = HMACSHA256.code(key: key, over: [UInt8](repeating: 7, count: count))
                        #expect(code.bytes == expected[count])
                    }
                }
            }
        }
    }
}
