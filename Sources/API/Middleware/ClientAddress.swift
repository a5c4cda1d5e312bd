import HTTPTypes
import NIOCore

/// Whose address a request came from. Behind proxies the connection is the nearest proxy's, and the caller's address
/// stands in `X-Forwarded-For`, of which only the entries that our own proxies wrote can be believed: those at its
/// end.
package struct ClientAddress: Sendable {
    /// Proxies of ours between a caller and this server; 0 believes only the connection.
    package let proxies: Int

    package init(proxies: Int = 0) { self.proxies = max(0, proxies) }

    /// Nil where there is no address, as on a Unix socket without a proxy.
    func text(of headers: HTTPFields, from peer: SocketAddress?) -> String? {
        if proxies > 0 {
            let entries = headers[values: .forwardedFor].flatMap { $0.split(separator: ",") }
            if entries.count >= proxies {
                let entry = entries[entries.count - proxies]
                return String(entry.drop { $0 == " " }.prefix { $0 != " " })
            }
        }
        return peer?.ipAddress
    }
}
