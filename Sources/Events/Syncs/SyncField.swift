/// The fields that the events of store sync share, in the names of seed 004's payload.
enum SyncField {
    static let product = EventField(
        "product", .public, .object([productID, productTitle, sku]), "The product that was pushed.")
    static let productID = EventField("id", .public, .text, "Our id of the product.")
    static let productTitle = EventField("title", .public, .text, "The product's title.")
    static let sku = EventField("sku", .public, .text, "SKU of its first variant that has one.", .nullable)
    static let source = EventField("source_store", .public, .text, "The store that it comes from.")
    static let destination = EventField("destination_store", .public, .text, "The store that it goes to.")
    static let remoteID = EventField("remote_id", .public, .text, "Its id in the destination store.", .nullable)
    static let action = EventField("action", .public, .text, "upsert or delete.")
    static let status = EventField("status", .public, .text, "success, or failed.")
}
