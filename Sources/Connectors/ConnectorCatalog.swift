/// The list of connectors. A provider that is not in it does not exist.
package enum ConnectorCatalog {
    package static let unified = UnifiedConnector()
    package static let wooCommerce = WooCommerceConnector()

    package static let all: [any Connector] = [unified, wooCommerce]

    /// The connector of a provider by its name on the wire, in lower case.
    package static func connector(for provider: String) -> (any Connector)? {
        all.first { $0.description.provider == provider }
    }
}
