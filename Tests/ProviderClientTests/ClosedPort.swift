#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A loopback port that is taken and not listened on, so that connecting to it is refused.
struct ClosedPort: ~Copyable {
    private let descriptor: CInt
    let number: Int

    init() {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        withUnsafeMutableBytes(of: &address) { bytes in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return }
            precondition(bind(descriptor, pointer, size) == 0, "no free port")
            precondition(getsockname(descriptor, pointer, &size) == 0, "a bound socket has a name")
        }
        number = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
