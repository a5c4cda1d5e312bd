/// An IPv4 or IPv6 address as a number, in the order in which it is written.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(UInt128)

    /// Reads four decimal numbers, or IPv6 text (RFC 4291 section 2.2) with or without a zone (`%eth0`), which is
    /// dropped. Short and non-decimal IPv4 forms (`127.1`, `0x7f.0.0.1`) are no addresses here.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: ":")) else {
            guard let number = ipv4Number(bytes[...]) else { return nil }
            self = .v4(number)
            return
        }
        var address = bytes[...]
        if let percent = bytes.firstIndex(of: UInt8(ascii: "%")) {
            guard percent + 1 < bytes.endIndex else { return nil }
            address = bytes[..<percent]
        }
        guard let number = ipv6Number(address) else { return nil }
        self = .v6(number)
    }

    /// The address in 4 or 16 bytes of network order, as a socket address has it; nil for any other count.
    package init?(networkBytes bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16: self = .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }

    /// The IPv4 address that packets to this one end at: IPv4-mapped (RFC 4291), NAT64 64:ff9b::/96 (RFC 6052)
    /// and 6to4 2002::/16 (RFC 3056).
    package var embeddedIPv4: IPAddress? {
        guard case .v6(let number) = self else { return nil }
        let upper = number >> 32
        if upper == 0xFFFF || upper == 0x0064_FF9B << 64 { return .v4(UInt32(truncatingIfNeeded: number)) }
        if number >> 112 == 0x2002 { return .v4(UInt32(truncatingIfNeeded: number >> 80)) }
        return nil
    }

    /// Bits of an address of this family.
    package var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text (RFC 5952 for IPv6), without brackets.
    package var description: String {
        switch self {
        case .v4(let number): ipv4Text(number)
        case .v6(let number): ipv6Text(number)
        }
    }
}

private let colon = UInt8(ascii: ":")
private let dot = UInt8(ascii: ".")

private func ipv4Number(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: dot, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var number: UInt32 = 0
    for part in parts {
        // A leading zero means octal to some resolvers and decimal to others, so it means nothing here.
        guard 1...3 ~= part.count, part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
        var value: UInt32 = 0
        for digit in part {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
            value = value * 10 + UInt32(digit - UInt8(ascii: "0"))
        }
        guard value <= 255 else { return nil }
        number = number << 8 | value
    }
    return number
}

private func ipv6Number(_ text: ArraySlice<UInt8>) -> UInt128? {
    var groups: [UInt16] = []
    var gap: Int?
    var rest = text
    if rest.starts(with: [colon, colon]) {
        gap = 0
        rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
        let end = rest.firstIndex(of: colon) ?? rest.endIndex
        let part = rest[..<end]
        if end == rest.endIndex, part.contains(dot) {
            guard let number = ipv4Number(part) else { return nil }
            groups += [UInt16(number >> 16), UInt16(truncatingIfNeeded: number)]
            break
        }
        guard let group = ipv6Group(part) else { return nil }
        groups.append(group)
        rest = rest[end...]
        if rest.isEmpty { break }
        rest = rest.dropFirst()
        if rest.first == colon {
            guard gap == nil else { return nil }
            gap = groups.count
            rest = rest.dropFirst()
        } else if rest.isEmpty {
            return nil
        }
    }
    if let gap {
        guard groups.count < 8 else { return nil }
        groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    return groups.reduce(0) { $0 << 16 | UInt128($1) }
}

private func ipv6Group(_ part: ArraySlice<UInt8>) -> UInt16? {
    guard 1...4 ~= part.count else { return nil }
    var value: UInt16 = 0
    for character in part {
        guard let digit = hexValue(character) else { return nil }
        value = value << 4 | UInt16(digit)
    }
    return value
}

private func ipv4Text(_ number: UInt32) -> String {
    "\(number >> 24).\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
}

private func ipv6Text(_ number: UInt128) -> String {
    if number >> 32 == 0xFFFF { return "::ffff:" + ipv4Text(UInt32(truncatingIfNeeded: number)) }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: number >> UInt128(112 - $0 * 16)) }
    let texts = groups.map { String($0, radix: 16) }
    // The first of the longest runs of two zero groups or more is written `::`.
    var longest = 0..<0
    var start = 0
    while start < 8 {
        let end = groups[start...].firstIndex { $0 != 0 } ?? 8
        if end - start >= 2, end - start > longest.count { longest = start..<end }
        start = max(end, start + 1)
    }
    guard !longest.isEmpty else { return texts.joined(separator: ":") }
    return texts[..<longest.lowerBound].joined(separator: ":") + "::"
        + texts[longest.upperBound...].joined(separator: ":")
}
