import Kernel

/// A snapshot in the shape of the golden files: every field, in a fixed order.
func rendered(_ order: OrderSnapshot) throws -> JSONValue {
    let bytes = JSONWriter.object { writer in
        writer.field("external_id", order.externalID)
        writer.field("number", order.number)
        writer.field("source_status", order.sourceStatus)
        writer.field("status", order.status?.rawValue)
        writer.field("currency", order.currency.code)
        writer.arrayField("lines") { writer in
            for line in order.lines { writer.object { write(line, to: &$0) } }
        }
        writer.field("discount", order.discount)
        writer.field("shipping", order.shipping)
        writer.field("tax", order.tax)
        if let total = order.total { writer.field("total", total) }
        writer.arrayField("refunds") { writer in
            for refund in order.refunds {
                writer.object { writer in
                    writer.field("id", refund.externalID)
                    writer.field("amount", refund.amount)
                    writer.field("reason", refund.reason)
                }
            }
        }
        writer.objectField("customer") { writer in
            writer.field("id", order.customer.externalID)
            writer.field("name", order.customer.name)
            writer.field("email", order.customer.email)
        }
        writer.field("updated_at", order.updatedAt)
        writer.field("placed_at", order.placedAt)
    }
    return try JSONValue(parsing: bytes)
}

private func write(_ line: OrderSnapshot.Line, to writer: inout JSONWriter) {
    writer.field("key", line.key)
    writer.field("item_id", line.itemID)
    writer.field("sku", line.sku)
    writer.field("title", line.title)
    writer.field("quantity", line.quantity)
    writer.field("unit_price", line.unitPrice)
    writer.field("total", line.total)
    writer.field("tax", line.tax)
}
