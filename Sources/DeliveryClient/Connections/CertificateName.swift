import NIOSSL

/// Whether a certificate names a host, judged by its alternative names of DNS alone.
///
/// The library's own check also lets a certificate pass that names the address of the connection. That won't do for a
/// URL with a name: who can forge the name's DNS answer can have a certificate for an address of their own.
func names(_ certificate: NIOSSLCertificate, _ host: String) -> Bool {
    certificate._subjectAlternativeNames().contains { name in
        name.nameType == .dnsName && certificateName(Array(name.contents), covers: host)
    }
}

/// Whether a name in a certificate covers a host (RFC 6125 section 6.4): the same, or one with an asterisk for the
/// whole first label, above two labels at least. The host is in lower case, without a final dot.
func certificateName(_ bytes: [UInt8], covers host: String) -> Bool {
    let dot = UInt8(ascii: ".")
    var name = bytes.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }[...]
    if name.last == dot { name = name.dropLast() }
    guard name.starts(with: [UInt8(ascii: "*"), dot]) else { return name.elementsEqual(host.utf8) }
    let parent = name.dropFirst()
    let hostParent = host.utf8.drop { $0 != dot }
    guard parent.dropFirst().contains(dot), !hostParent.isEmpty, hostParent.count < host.utf8.count else {
        return false
    }
    return parent.elementsEqual(hostParent)
}
