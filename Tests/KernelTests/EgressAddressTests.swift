import Kernel
import Testing

@Suite struct EgressAddressTests {
    @Test(
        "An address is read from its text and written in its canonical form",
        arguments: [
            ("0.0.0.0", nil), ("255.255.255.255", nil), ("::", nil), ("::1", nil), ("1::", nil), ("2001:db8::1", nil),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", nil), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
            ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"), ("0:0:0:0:0:0:0:0", "::"), ("::ffff:1.2.3.4", nil),
            ("::ffff:102:304", "::ffff:1.2.3.4"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"), ("fe80::1%eth0", "fe80::1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7:8", nil),
        ] as [(String, String?)])
    func text(text: String, canonical: String?) throws {
        #expect(try #require(IPAddress(text)).description == canonical ?? text)
    }

    @Test(
        "Text that is no address, or only to some resolvers, is not read",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.0x4", "1.2.3.", ".1.2.3", "1.2.3.4 ",
            "+1.2.3.4", ":", ":1", "1:", ":::", "1:::2", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "::1.2.3", "1.2.3.4::", "::%", "1:2:3:4:5:6:7:1.2.3.4", "[::1]",
        ])
    func notAddresses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("Network bytes of either family make an address, other counts none")
    func networkBytes() {
        #expect(IPAddress(networkBytes: [127, 0, 0, 1] as [UInt8]) == IPAddress("127.0.0.1"))
        #expect(IPAddress(networkBytes: [UInt8](repeating: 0, count: 15) + [1]) == IPAddress("::1"))
        #expect(IPAddress(networkBytes: [1, 2, 3, 4, 5] as [UInt8]) == nil)
    }

    @Test(
        "An IPv4 address is found inside mapped, NAT64 and 6to4 addresses, and in no others",
        arguments: [
            ("::ffff:127.0.0.1", "127.0.0.1"), ("64:ff9b::a9fe:a9fe", "169.254.169.254"),
            ("2002:7f00:1::", "127.0.0.1"),
            ("::127.0.0.1", nil), ("64:ff9b:1::7f00:1", nil), ("2003:7f00:1::", nil), ("127.0.0.1", nil),
        ] as [(String, String?)])
    func embedded(text: String, expected: String?) throws {
        #expect(try #require(IPAddress(text)).embeddedIPv4 == expected.flatMap { IPAddress($0) })
    }

    @Test(
        "A block holds the addresses that share its bits",
        arguments: [
            ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "9.9.9.9", true),
            ("0.0.0.0/0", "::1", false), ("::/0", "ffff::", true), ("::1", "::1", true), ("::1", "::2", false),
            ("192.168.4.9/22", "192.168.7.255", true), ("192.168.4.9/22", "192.168.8.0", false),
            ("fc00::/7", "fdff::1", true), ("fc00::/7", "fe00::", false), ("1.2.3.4/32", "1.2.3.5", false),
        ])
    func contains(block: String, address: String, expected: Bool) throws {
        #expect(try #require(CIDRBlock(block)).contains(try #require(IPAddress(address))) == expected)
    }

    @Test("A block is written with its first address")
    func blockText() throws {
        #expect(try #require(CIDRBlock("127.9.9.9/8")).description == "127.0.0.0/8")
        #expect(try #require(CIDRBlock("::1")).description == "::1/128")
    }

    @Test(
        "Text that is no block is not read",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10/8", "::1/8/8",
            "fe80::1%a/64",
        ])
    func notBlocks(text: String) {
        #expect(CIDRBlock(text) == nil)
    }
}
