extension IPAddress {
    /// Whether packets to this address leave for the public internet. One that embeds an IPv4 address is judged by it.
    package var isPublic: Bool {
        let judged = embeddedIPv4 ?? self
        switch judged {
        case .v4: return !specialIPv4.contains { $0.contains(judged) }
        case .v6: return globalUnicast.contains(judged) && !specialIPv6.contains { $0.contains(judged) }
        }
    }
}

// The blocks that IANA's special-purpose address registries (iana-ipv4-special-registry and its IPv6 sister) do not
// call globally reachable, and those that reach no single machine.

private let specialIPv4 = [
    CIDRBlock(ipv4: 0, 0, prefix: 8),  // this network
    CIDRBlock(ipv4: 10, 0, prefix: 8),  // private
    CIDRBlock(ipv4: 100, 64, prefix: 10),  // shared by a carrier's customers
    CIDRBlock(ipv4: 127, 0, prefix: 8),  // loopback
    CIDRBlock(ipv4: 169, 254, prefix: 16),  // link-local, where clouds answer with credentials
    CIDRBlock(ipv4: 172, 16, prefix: 12),  // private
    CIDRBlock(ipv4: 192, 0, 0, prefix: 24),  // protocol assignments
    CIDRBlock(ipv4: 192, 0, 2, prefix: 24),  // documentation
    CIDRBlock(ipv4: 192, 88, 99, prefix: 24),  // relays of 6to4, withdrawn
    CIDRBlock(ipv4: 192, 168, prefix: 16),  // private
    CIDRBlock(ipv4: 198, 18, prefix: 15),  // benchmarks
    CIDRBlock(ipv4: 198, 51, 100, prefix: 24),  // documentation
    CIDRBlock(ipv4: 203, 0, 113, prefix: 24),  // documentation
    CIDRBlock(ipv4: 224, 0, prefix: 4),  // multicast
    CIDRBlock(ipv4: 240, 0, prefix: 4),  // reserved, broadcast
]

/// All that is given out of IPv6 for the public internet: `::1`, `64:ff9b:1::/48`, `100::/64`, `fc00::/7`, `fe80::/10`,
/// `ff00::/8` and every other special block outside it need no entry.
private let globalUnicast = CIDRBlock(ipv6: 0x2000, 0, prefix: 3)

private let specialIPv6 = [
    CIDRBlock(ipv6: 0x2001, 0, prefix: 23),  // protocol assignments, Teredo among them
    CIDRBlock(ipv6: 0x2001, 0x0DB8, prefix: 32),  // documentation
    CIDRBlock(ipv6: 0x3FFF, 0, prefix: 20),  // documentation
]
