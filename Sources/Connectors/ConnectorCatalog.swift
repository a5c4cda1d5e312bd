/// The list of connectors. A provider that is not in it does not exist.
///
/// A new one is a folder with its `Connector` and its translation, a line here, and recorded deliveries with golden
/// orders in `ConnectorsTests/Fixtures/<provider>`: the contract tests fail until each of its order events has one.
package enum ConnectorCatalog {
    package static let unified = UnifiedConnector()
    package static let wooCommerce = WooCommerceConnector()

    package static let all: [any Connector] = [unified, wooCommerce]

    /// The connector of a provider by its name on the wire, in lower case.
    package static func connector(for provider: String) -> (any Connector)? {
        all.first { $0.description.provider == provider }
    }
}
