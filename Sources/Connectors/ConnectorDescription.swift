import Signing

/// What a provider is, for the routes, the dashboard and the intake, without a word about how its orders read.
package struct ConnectorDescription: Sendable {
    /// How a delivery says which connection it belongs to.
    package enum Addressing: Sendable, Hashable {
        /// All connections share one address, and the body names the connection.
        case inBody
        /// Each connection has an address of its own.
        case inPath
    }

    /// The provider's name on the wire and in rows, such as `woocommerce`.
    package let provider: String
    package let displayName: String
    package let categories: [ConnectionCategory]
    package let addressing: Addressing
    package let signature: any SignatureScheme
    /// What a person does to connect it, in a sentence or two.
    package let setup: String
    /// The events, as the source names them, that run the order workflow.
    package let orderEvents: [String]

    package init(
        provider: String, displayName: String, categories: [ConnectionCategory], addressing: Addressing,
        signature: any SignatureScheme, setup: String, orderEvents: [String]
    ) {
        self.provider = provider
        self.displayName = displayName
        self.categories = categories
        self.addressing = addressing
        self.signature = signature
        self.setup = setup
        self.orderEvents = orderEvents
    }
}

/// What a connection is used for (seed 000); the first is the default.
package enum ConnectionCategory: String, Sendable, CaseIterable {
    case commerce
    case accounting
}
