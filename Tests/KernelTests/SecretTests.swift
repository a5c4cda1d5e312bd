import Kernel
import Testing

@Suite struct SecretTests {
    @Test("A secret never prints, however it is shown")
    func printing() {
        struct Holder { let secret: Secret }
        let secret = Secret("hunter2")
        var dumped = ""
        dump(Holder(secret: secret), to: &dumped)

        let shown = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\(Holder(secret: secret))",
            "\([secret])", "\(Optional(secret) as Any)", dumped, String(reflecting: ["k": secret]),
        ]
        for text in shown {
            #expect(!text.contains("hunter2"))
            // The bytes of "hunter2" as numbers, the way an array of them would print.
            #expect(!text.contains("104") && !text.contains("117"))
        }
        #expect("\(secret)" == "***")
    }

    @Test("A secret is revealed as bytes and as text, and compares by its bytes")
    func value() {
        #expect(Secret("Ü").reveal(for: "test") == [0xC3, 0x9C])
        #expect(Secret([0xC3, 0x9C]).revealText(for: "test") == "Ü")
        #expect(Secret("a") == Secret([0x61]))
        #expect(Secret("a") != Secret("b"))
        #expect(Secret("a") != Secret("ab"))
        #expect(Secret("abc").count == 3)
    }

    @Test("Constant-time comparison says what plain comparison says")
    func comparison() {
        var random = SplitMix(state: 8)
        for count in 0..<40 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(equalInConstantTime(bytes, bytes[...]))
            #expect(equalInConstantTime(bytes.lazy.map { $0 }, bytes))
            #expect(!equalInConstantTime(bytes, bytes + [0]))
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= 1
                #expect(!equalInConstantTime(bytes, changed))
            }
        }
    }

    @Test("Hexadecimal text is written in lower case and read in either")
    func hexadecimal() {
        let bytes = [UInt8](0...255)
        #expect(hexText(bytes).hasPrefix("000102030405060708090a0b"))
        #expect(hexText(bytes.lazy.map { $0 }) == hexText(bytes))
        #expect(hexText([]) == "")
        #expect(hexBytes(hexText(bytes)) == bytes)
        #expect(hexBytes(hexText(bytes).uppercased()) == bytes)
        for bad in ["a", "abc", "0g", "0x00", " 00", "００"] { #expect(hexBytes(bad) == nil) }
    }
}
