/// Every route of the product as the API's document tells it, in the order in which it is shown.
package enum OperationCatalog {
    package static let groups: [OperationGroup] = [
        ConnectionOperations.group,
        MappingOperations.group,
        ProductOperations.group,
        ImportOperations.group,
        CategoryOperations.group,
        CollectionOperations.group,
        CustomerOperations.group,
        OrderOperations.group,
        InventoryOperations.group,
        SubscriptionOperations.group,
        EventTypeOperations.group,
        FeedOperations.group,
        EventLogOperations.group,
        ReplayOperations.group,
        CatalogFeedOperations.group,
        WorkflowOperations.group,
        APIKeyOperations.group,
        AuditOperations.group,
        InboundOperations.group,
        SystemOperations.group,
    ]
}
