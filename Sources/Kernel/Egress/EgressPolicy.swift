/// Where outgoing requests may go: https to public addresses, and whatever an operator allows besides.
///
/// The URL is judged when it is saved and again before each request; each address that its name resolves to, and the
/// one really connected to, is judged by `judge(address:of:)`.
package struct EgressPolicy: Hashable, Sendable {
    /// Blocks whose addresses are allowed on every port although they are not public (`--egress-allow`).
    package let allowedBlocks: [CIDRBlock]
    /// Whether http is as good as https (`--egress-allow-http`): for development only.
    package let allowsHTTP: Bool

    package init(allowedBlocks: [CIDRBlock] = [], allowsHTTP: Bool = false) {
        self.allowedBlocks = allowedBlocks
        self.allowsHTTP = allowsHTTP
    }

    /// Reads and judges a URL without asking DNS; the answer is the form to connect with.
    package func judge(url text: String) throws(EgressRefusal) -> EgressURL {
        let url = try EgressURL(text)
        if url.scheme == .http, !allowsHTTP {
            throw EgressRefusal(.notHTTPS, "The URL must begin with https://.")
        }
        switch url.host {
        case .address(let address):
            try judge(address: address, port: url.port)
        case .name(let name):
            // With allowed blocks the verdict waits for the name's addresses; without, no address could save it.
            if url.isLocalName, allowedBlocks.isEmpty {
                throw EgressRefusal(.forbiddenAddress, "\(name) is a name of this machine or of a private network.")
            }
            if allowedBlocks.isEmpty { try judge(port: url.port) }
        }
        return url
    }

    /// Judges one of the addresses that the URL's host has.
    package func judge(address: IPAddress, of url: EgressURL) throws(EgressRefusal) {
        if url.isLocalName, !isAllowed(address) {
            throw EgressRefusal(.forbiddenAddress, "The host's address \(address) is not in an allowed block.")
        }
        try judge(address: address, port: url.port)
    }

    /// Judges an address that is about to be connected to, or already is.
    package func judge(address: IPAddress, port: Int) throws(EgressRefusal) {
        if isAllowed(address) { return }
        guard address.isPublic else {
            throw EgressRefusal(.forbiddenAddress, "The address \(address) is not a public one.")
        }
        try judge(port: port)
    }

    private func judge(port: Int) throws(EgressRefusal) {
        if port == 443 || port == 8443 || (allowsHTTP && port == 80) { return }
        throw EgressRefusal(.forbiddenPort, "Port \(port) is not allowed; use 443 or 8443.")
    }

    private func isAllowed(_ address: IPAddress) -> Bool {
        allowedBlocks.contains { block in
            block.contains(address) || address.embeddedIPv4.map(block.contains) == true
        }
    }
}
