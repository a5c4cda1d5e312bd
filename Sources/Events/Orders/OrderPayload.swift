import Kernel

/// What events tell of an order: its whole state after the change, never a difference.
package struct OrderPayload: Sendable {
    package struct Line: Sendable {
        package var variant: String?
        package var sku: String?
        package var title: String
        package var quantity: Int64
        package var unitPrice: Money
        package var match: String

        package init(variant: String?, sku: String?, title: String, quantity: Int64, unitPrice: Money, match: String) {
            self.variant = variant
            self.sku = sku
            self.title = title
            self.quantity = quantity
            self.unitPrice = unitPrice
            self.match = match
        }
    }

    package var id: ID<DomainEvent.Entity>
    package var externalID: String?
    package var status: String
    package var channel: String
    package var sourcePlatform: String
    package var matchStatus: String
    package var total: Money
    package var refunded: Money
    package var lines: [Line]
    package var customerName: String?
    package var customerEmail: String?
    package var placedAt: Timestamp
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: ID<DomainEvent.Entity>, externalID: String?, status: String, channel: String, sourcePlatform: String,
        matchStatus: String, total: Money, refunded: Money, lines: [Line], customerName: String?,
        customerEmail: String?, placedAt: Timestamp, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.externalID = externalID
        self.status = status
        self.channel = channel
        self.sourcePlatform = sourcePlatform
        self.matchStatus = matchStatus
        self.total = total
        self.refunded = refunded
        self.lines = lines
        self.customerName = customerName
        self.customerEmail = customerEmail
        self.placedAt = placedAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    func write(_ writer: inout PayloadWriter) {
        writer.field(Field.id, id)
        writer.field(Field.externalID, externalID)
        writer.field(Field.status, status)
        writer.field(Field.currency, total.currency.code)
        writer.field(Field.total, total)
        writer.field(Field.refunded, refunded)
        writer.field(Field.channel, channel)
        writer.field(Field.sourcePlatform, sourcePlatform)
        writer.field(Field.matchStatus, matchStatus)
        writer.objects(Field.lines, lines) { element, line in
            element.field(Field.lineVariant, line.variant)
            element.field(Field.lineSKU, line.sku)
            element.field(Field.lineTitle, line.title)
            element.field(Field.lineQuantity, line.quantity)
            element.field(Field.lineUnitPrice, line.unitPrice)
            element.field(Field.lineMatch, line.match)
        }
        writer.field(Field.placedAt, placedAt)
        writer.field(Field.createdAt, createdAt)
        writer.field(Field.updatedAt, updatedAt)
        if let customerName { writer.field(Field.customerName, customerName) }
        if let customerEmail { writer.field(Field.customerEmail, customerEmail) }
    }

    /// The fields of an order in a payload, with their privacy classes.
    enum Field {
        static let id = EventField("order_id", .public, .uuid, "Our id of the order.")
        static let externalID = EventField("external_id", .public, .text, "The source's id of the order.", .nullable)
        static let status = EventField("status", .public, .text, "The order's state.")
        static let currency = EventField("currency", .public, .text, "ISO 4217 code of every amount of the order.")
        static let total = EventField("total", .public, .decimal, "What the customer pays, tax and shipping included.")
        static let refunded = EventField(
            "refunded_total", .public, .decimal, "What went back to the customer so far.")
        static let channel = EventField("channel", .public, .text, "The sales channel it came through.")
        static let sourcePlatform = EventField("source_platform", .public, .text, "The platform it was placed on.")
        static let matchStatus = EventField(
            "match_status", .public, .text, "Whether all lines are known variants: full, partial or none.")
        static let lines = EventField(
            "line_items", .public,
            .objects([lineVariant, lineSKU, lineTitle, lineQuantity, lineUnitPrice, lineMatch]),
            "The lines as they stand now.")
        static let lineVariant = EventField(
            "variant_id", .public, .uuid, "Our variant; null while unmatched.", .nullable)
        static let lineSKU = EventField("sku", .public, .text, "The SKU as the source wrote it.", .nullable)
        static let lineTitle = EventField("title", .public, .text, "The item's name as the source wrote it.")
        static let lineQuantity = EventField("quantity", .public, .integer, "Pieces.")
        static let lineUnitPrice = EventField("unit_price", .public, .decimal, "Price of one piece before tax.")
        static let lineMatch = EventField("match", .public, .text, "How the variant was found.")
        static let placedAt = EventField("placed_at", .public, .time, "When the customer placed it.")
        static let createdAt = EventField("created_at", .public, .time, "When it was first stored here.")
        static let updatedAt = EventField("updated_at", .public, .time, "When it last changed here.")
        static let changed = EventField("changed", .public, .texts, "Names of the fields that changed.")
        static let customerName = EventField(
            "customer_name", .confidential, .text, "The buyer's name.", .optional)
        static let customerEmail = EventField(
            "customer_email", .confidential, .text, "The buyer's e-mail address.", .optional)

        static let order = [
            id, externalID, status, currency, total, refunded, channel, sourcePlatform, matchStatus, lines, placedAt,
            createdAt, updatedAt, customerName, customerEmail,
        ]
    }

    static let example = OrderPayload(
        id: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0001), externalID: "1042", status: "processing",
        channel: "woocommerce", sourcePlatform: "woocommerce", matchStatus: "full",
        total: Money(minorUnits: 14_998, currency: .usd), refunded: .zero(.usd),
        lines: [
            Line(
                variant: "019391c1-2c5c-7000-8000-000000000002", sku: "SHIRT-M-BLK", title: "Shirt, M, black",
                quantity: 2, unitPrice: Money(minorUnits: 7499, currency: .usd), match: "sku")
        ], customerName: "Ann Guest", customerEmail: "ann@example.test",
        placedAt: Timestamp(milliseconds: 1_733_326_326_998), createdAt: Timestamp(milliseconds: 1_733_326_327_412),
        updatedAt: Timestamp(milliseconds: 1_733_326_327_412))
}
