/// A block of addresses that share their leading bits, such as `10.0.0.0/8` or `fc00::/7`.
package struct CIDRBlock: Hashable, Sendable {
    /// The first address of the block.
    package let network: IPAddress
    /// How many leading bits the addresses share.
    package let prefix: Int

    /// The block around an address; bits past the prefix are dropped. Nil when the family has no such prefix.
    package init?(_ address: IPAddress, prefix: Int) {
        guard 0...address.bitWidth ~= prefix else { return nil }
        self.network = address.keeping(leadingBits: prefix)
        self.prefix = prefix
    }

    /// Reads `address/prefix`; an address alone is the block of just that one. `127.0.0.1/8` is read as `127.0.0.0/8`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, !first.contains("%"), let address = IPAddress(first) else {
            return nil
        }
        guard parts.count == 2 else {
            self.init(address, prefix: address.bitWidth)
            return
        }
        guard 1...3 ~= parts[1].utf8.count, parts[1].utf8.allSatisfy({ 48...57 ~= $0 }), let prefix = Int(parts[1])
        else { return nil }
        self.init(address, prefix: prefix)
    }

    /// A block for a table in code, from its first two or three octets.
    init(ipv4 first: UInt32, _ second: UInt32, _ third: UInt32 = 0, prefix: Int) {
        network = .v4(first << 24 | second << 16 | third << 8)
        self.prefix = prefix
    }

    /// A block for a table in code, from its first two groups.
    init(ipv6 first: UInt128, _ second: UInt128, prefix: Int) {
        network = .v6(first << 112 | second << 96)
        self.prefix = prefix
    }

    /// Whether the address is of this family and starts with the block's bits.
    package func contains(_ address: IPAddress) -> Bool {
        address.bitWidth == network.bitWidth && address.keeping(leadingBits: prefix) == network
    }
}

extension CIDRBlock: CustomStringConvertible {
    package var description: String { "\(network)/\(prefix)" }
}

extension IPAddress {
    /// This address with every bit after the first `count` cleared.
    fileprivate func keeping(leadingBits count: Int) -> IPAddress {
        switch self {
        // Swift's smart shift by the whole width gives 0, which is the mask of an empty prefix.
        case .v4(let number): .v4(number & (UInt32.max << UInt32(32 - count)))
        case .v6(let number): .v6(number & (UInt128.max << UInt128(128 - count)))
        }
    }
}
