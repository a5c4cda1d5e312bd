#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import Testing

/// An address of this machine that lets connections hang: its listener accepts none, and its queue is full.
struct SilentPort {
    private let descriptors: [CInt]

    /// - Parameter lastByte: of 127.0.0.x.
    init(lastByte: UInt32, port: Int) throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var descriptors = [listener]
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = (0x7F00_0000 | lastByte).bigEndian
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        func with(_ body: (UnsafePointer<sockaddr>) -> CInt) -> CInt {
            withUnsafeBytes(of: &address) { bytes in
                bytes.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self)) } ?? -1
            }
        }
        try #require(with { bind(listener, $0, size) } == 0)
        try #require(listen(listener, 0) == 0)
        for _ in 0..<4 {
            let filler = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            _ = fcntl(filler, F_SETFL, O_NONBLOCK)
            _ = with { connect(filler, $0, size) }
            descriptors.append(filler)
        }
        self.descriptors = descriptors
    }

    func close() {
        for descriptor in descriptors { _ = Glibc.close(descriptor) }
    }
}
