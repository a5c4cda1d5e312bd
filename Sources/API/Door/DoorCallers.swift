import HTTPTypes
import NIOCore

/// Lets callers in at the door who are known: whom the store or a key set would have to be asked about, and whom it
/// would refuse, the router answers.
struct DoorCallers: Sendable {
    private let authenticator: Authenticator
    private let rates: CallerRates
    private let address: ClientAddress
    private let least: Role

    /// - Parameter least: callers below this role are the router's, which tells them so.
    init(_ dependencies: APIDependencies, needing least: Role) {
        authenticator = dependencies.authenticator
        rates = dependencies.rates
        address = ClientAddress(proxies: dependencies.settings.proxies)
        self.least = least
    }

    /// Who calls, with the fields that tell the rate on each answer.
    func admit(_ headers: HTTPFields, from peer: SocketAddress?) -> (Principal, HTTPFields)? {
        guard let (principal, credential) = authenticator.recall(headers), principal.role >= least else { return nil }
        var fields = HTTPFields()
        if let limit = rates.tokens {
            guard let remaining = limit.admit(credential) else { return nil }
            limit.state(remaining, in: &fields)
        }
        if let limit = rates.addresses, let address = address.text(of: headers, from: peer) {
            guard let remaining = limit.admit(address) else { return nil }
            limit.state(remaining, in: &fields)
        }
        return (principal, fields)
    }
}
