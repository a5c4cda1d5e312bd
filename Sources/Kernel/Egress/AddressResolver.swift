#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Knows the addresses of names.
package protocol AddressResolver: Sendable {
    /// Every address of a name in lower case, the preferred ones first; throws the class dns. May block its thread.
    func addresses(of name: String) throws(ExchangeError) -> [IPAddress]
}

/// Asks the system, which knows its own files and DNS.
package struct SystemResolver: AddressResolver {
    package init() {}

    package func addresses(of name: String) throws(ExchangeError) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else {
            throw ExchangeError(.dns, "\(name): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = entry.ai_addr.flatMap({ IPAddress($0) }), !found.contains(address) {
                found.append(address)
            }
            next = entry.ai_next
        }
        guard !found.isEmpty else { throw ExchangeError(.dns, "\(name) has no address") }
        return found
    }
}

extension IPAddress {
    /// The address of a socket; nil for one that has none, such as a Unix socket's.
    package init?(_ socketAddress: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(socketAddress)
        let found: IPAddress?
        switch CInt(socketAddress.pointee.sa_family) {
        case AF_INET:
            var address = raw.load(as: sockaddr_in.self).sin_addr
            found = withUnsafeBytes(of: &address) { IPAddress(networkBytes: $0) }
        case AF_INET6:
            var address = raw.load(as: sockaddr_in6.self).sin6_addr
            found = withUnsafeBytes(of: &address) { IPAddress(networkBytes: $0) }
        default:
            return nil
        }
        guard let found else { return nil }
        self = found
    }
}
