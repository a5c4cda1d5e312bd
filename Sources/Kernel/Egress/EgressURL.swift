/// An absolute http or https URL in one normal form, so that whoever judges it and whoever connects read the same.
///
/// Scheme and host are in lower case, a final dot of the host and a default port are gone, an empty path is `/`,
/// brackets behind the host are percent-encoded. Only the characters of RFC 3986 pass: anything else is read
/// differently by different libraries.
package struct EgressURL: Hashable, Sendable {
    /// Plain http passes only where an operator allows it.
    package enum Scheme: String, Sendable {
        case http
        case https

        var defaultPort: Int { self == .https ? 443 : 80 }
    }

    /// Whom to connect to: a name has to be resolved, and its addresses judged, first.
    package enum Host: Hashable, Sendable {
        /// A name in lower case, as DNS is asked for it.
        case name(String)
        case address(IPAddress)
    }

    package let scheme: Scheme
    package let host: Host
    package let port: Int
    /// Path and query as sent in the request line; never empty.
    package let target: String

    /// Reads a URL; `EgressPolicy.judge(url:)` is the way to one that may be used.
    init(_ text: String) throws(EgressRefusal) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= EgressURL.bytesLimit else {
            throw EgressRefusal(.malformed, "The URL must have 1 to \(EgressURL.bytesLimit) characters.")
        }
        guard bytes.allSatisfy(isURLCharacter) else {
            throw EgressRefusal(.malformed, "The URL has a space or another character that must be percent-encoded.")
        }
        let afterScheme: ArraySlice<UInt8>
        (scheme, afterScheme) = try readScheme(bytes)
        guard afterScheme.starts(with: [slash, slash]) else {
            throw EgressRefusal(.malformed, "After its scheme the URL must have // and a host.")
        }
        let rest = afterScheme.dropFirst(2)
        let end = rest.firstIndex { $0 == slash || $0 == question || $0 == pound } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw EgressRefusal(.userinfo, "The URL must not carry a user name or a password.")
        }
        let (hostText, portText) = try splitAuthority(authority)
        host = try readHost(hostText)
        port = try readPort(portText) ?? scheme.defaultPort
        target = try readTarget(rest[end...])
    }

    /// The longest URL that is accepted: the usual limit of servers and proxies.
    static let bytesLimit = 2048

    /// The host as it stands in a URL: an IPv6 address in brackets.
    package var hostText: String {
        switch host {
        case .name(let name): name
        case .address(.v6(let number)): "[\(IPAddress.v6(number))]"
        case .address(let address): address.description
        }
    }

    /// The host of a URL that was judged before, for showing it; empty for a text that is none.
    package static func hostText(of url: String) -> String {
        do throws(EgressRefusal) { return try EgressURL(url).hostText } catch { return "" }
    }

    /// Host and port as the `Host` header field carries them: the port only when it is not the scheme's own.
    package var authority: String {
        port == scheme.defaultPort ? hostText : "\(hostText):\(port)"
    }

    /// The whole URL in its normal form.
    package var text: String { "\(scheme.rawValue)://\(authority)\(target)" }

    /// Whether the host is a name that by convention never leaves this machine or a private network
    /// (RFC 6761 section 6.3, ICANN's reservation of `internal`).
    package var isLocalName: Bool {
        guard case .name(let name) = host else { return false }
        return ["localhost", "internal"].contains { name == $0 || name.hasSuffix("." + $0) }
    }
}

private let slash = UInt8(ascii: "/")
private let question = UInt8(ascii: "?")
private let pound = UInt8(ascii: "#")
private let colon = UInt8(ascii: ":")

private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

private func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 }

private func isURLCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "^"),
        UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
        false
    default: 0x21...0x7E ~= byte
    }
}

private func readScheme(_ bytes: [UInt8]) throws(EgressRefusal) -> (EgressURL.Scheme, ArraySlice<UInt8>) {
    guard let end = bytes.firstIndex(of: colon), let first = bytes.first, isLetter(first),
        bytes[..<end].allSatisfy({ isLetter($0) || isDigit($0) || [0x2B, 0x2D, 0x2E].contains($0) })
    else { throw EgressRefusal(.malformed, "The URL must be absolute and begin with https://.") }
    guard let scheme = EgressURL.Scheme(rawValue: String(decoding: bytes[..<end], as: UTF8.self).lowercased()) else {
        throw EgressRefusal(.notHTTPS, "The URL must begin with https://.")
    }
    return (scheme, bytes[(end + 1)...])
}

/// Host without brackets kept apart from the port's digits; nil where no port is written.
private func splitAuthority(
    _ authority: ArraySlice<UInt8>
) throws(EgressRefusal) -> (host: ArraySlice<UInt8>, port: ArraySlice<UInt8>?) {
    let hostEnd: Int
    if authority.first == UInt8(ascii: "[") {
        guard let bracket = authority.firstIndex(of: UInt8(ascii: "]")) else {
            throw EgressRefusal(.malformed, "The URL's host has an opening bracket and no closing one.")
        }
        hostEnd = bracket + 1
    } else {
        hostEnd = authority.firstIndex(of: colon) ?? authority.endIndex
    }
    guard hostEnd > authority.startIndex else { throw EgressRefusal(.malformed, "The URL has no host.") }
    let rest = authority[hostEnd...]
    guard let first = rest.first else { return (authority, nil) }
    guard first == colon else { throw EgressRefusal(.malformed, "The URL's host ends in something unexpected.") }
    return (authority[..<hostEnd], rest.dropFirst())
}

private func readPort(_ digits: ArraySlice<UInt8>?) throws(EgressRefusal) -> Int? {
    guard let digits, !digits.isEmpty else { return nil }
    guard digits.count <= 5, digits.allSatisfy(isDigit), let port = Int(String(decoding: digits, as: UTF8.self)),
        1...65535 ~= port
    else { throw EgressRefusal(.malformed, "The URL's port must be a number from 1 to 65535.") }
    return port
}

private func readHost(_ bytes: ArraySlice<UInt8>) throws(EgressRefusal) -> EgressURL.Host {
    if bytes.first == UInt8(ascii: "[") {
        let inside = String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
        guard inside.utf8.contains(colon), let address = IPAddress(inside) else {
            throw EgressRefusal(.malformed, "Between the brackets of the URL's host there is no IPv6 address.")
        }
        guard !inside.utf8.contains(UInt8(ascii: "%")) else {
            throw EgressRefusal(.forbiddenAddress, "An address with a zone belongs to one machine's network.")
        }
        return .address(address)
    }
    let withoutDot = bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes
    let labels = withoutDot.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    // Underscores are not of DNS host names, and are found in real ones. 253 and 63: RFC 1035 section 2.3.4.
    guard withoutDot.count <= 253, labels.allSatisfy({ 1...63 ~= $0.count }),
        withoutDot.allSatisfy({ isLetter($0) || isDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) })
    else {
        throw EgressRefusal(.malformed, "The URL's host is no host name; write other scripts in their xn-- form.")
    }
    let name = String(decoding: withoutDot, as: UTF8.self).lowercased()
    guard let last = labels.last, isNumeric(last) else { return .name(name) }
    // Resolvers read 127.1, 2130706433 and 0x7f.0.0.1 as 127.0.0.1; only the plain form may pass.
    guard let address = IPAddress(name) else {
        throw EgressRefusal(.forbiddenAddress, "The URL's host is a number; write addresses as four decimal numbers.")
    }
    return .address(address)
}

/// Whether a label makes its host an IPv4 address in some form (the "ends in a number" check of the URL standard).
private func isNumeric(_ label: ArraySlice<UInt8>) -> Bool {
    if label.allSatisfy(isDigit) { return true }
    let prefix = label.prefix(2)
    guard prefix.first == UInt8(ascii: "0"), let x = prefix.last, x | 0x20 == UInt8(ascii: "x") else { return false }
    return label.dropFirst(2).allSatisfy { hexValue($0) != nil }
}

private func readTarget(_ bytes: ArraySlice<UInt8>) throws(EgressRefusal) -> String {
    guard !bytes.contains(pound) else {
        throw EgressRefusal(.fragment, "The URL must not have a fragment (#): it would never be sent.")
    }
    for index in bytes.indices where bytes[index] == UInt8(ascii: "%") {
        let digits = bytes[(index + 1)...].prefix(2)
        guard digits.count == 2, digits.allSatisfy({ hexValue($0) != nil }) else {
            throw EgressRefusal(.malformed, "The URL has a % without two hexadecimal digits after it.")
        }
    }
    var target: [UInt8] = bytes.first == slash ? [] : [slash]
    target.reserveCapacity(bytes.count + 1)
    for byte in bytes {
        // Brackets are common in queries and not allowed there: some readers take one for leave to encode all anew.
        switch byte {
        case UInt8(ascii: "["): target += "%5B".utf8
        case UInt8(ascii: "]"): target += "%5D".utf8
        default: target.append(byte)
        }
    }
    return String(decoding: target, as: UTF8.self)
}
