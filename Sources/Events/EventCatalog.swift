/// Every kind of event that this product raises, in the order in which it is documented.
package enum EventCatalog {
    package static let all: [any EventType.Type] = [
        OrderCreated.self,
        OrderUpdated.self,
        ProductCreated.self,
        ProductUpdated.self,
        ProductPriceChanged.self,
        ProductActivated.self,
        ProductDeactivated.self,
        ProductDiscontinued.self,
        CustomerCreated.self,
        CustomerStatusChanged.self,
        CustomerAssigned.self,
        InventoryAdjusted.self,
        InventoryUpdated.self,
        IntegrationSynced.self,
        ProductSynced.self,
        CollectionSynced.self,
        SyncFailed.self,
        WebhookFailing.self,
        WebhookDisabled.self,
        WebhookRecovered.self,
        WebhookTest.self,
    ]

    package static let names: [String] = all.map { $0.name }

    /// The type of that name; nil for a tenant's own and for unknown ones.
    package static func type(named name: String) -> (any EventType.Type)? { all.first { $0.name == name } }
}
