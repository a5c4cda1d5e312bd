/// Why an outgoing URL or address may not be used.
package struct EgressRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The codes of the vectors, which answers and recorded attempts carry.
    package enum Reason: String, Sendable, CaseIterable {
        /// It is no absolute URL of a host, or has characters that two readers may read differently.
        case malformed
        case notHTTPS = "not_https"
        /// It carries a user name or password, which would be stored and logged with it.
        case userinfo
        case fragment
        case forbiddenPort = "forbidden_port"
        /// The host is, or resolves to, an address that is not public.
        case forbiddenAddress = "forbidden_address"
    }

    package let reason: Reason
    /// One plain sentence for whoever entered the URL.
    package let sentence: String

    package init(_ reason: Reason, _ sentence: String) {
        self.reason = reason
        self.sentence = sentence
    }

    package var description: String { "\(reason.rawValue): \(sentence)" }
}
