import Commerce
import Events
import Kernel

/// Orders as answers show them.
enum OrderAnswer {
    static func write(_ order: Order, _ writer: inout JSONWriter) {
        writer.field("id", order.id)
        writer.field("external_id", order.externalID)
        writer.field("number", order.number)
        writer.field("connection_id", order.connection)
        writer.field("channel", order.channel)
        writer.field("source_platform", order.sourcePlatform)
        writer.field("status", order.status.rawValue)
        writer.arrayField("next_states") { writer in
            for state in order.status.nextStates { writer.string(state.rawValue) }
        }
        writer.field("source_status", order.sourceStatus)
        writeMoney(order, &writer)
        writer.field("match_status", order.matchStatus.rawValue)
        writer.field("oversold", order.isOversold)
        writer.objectField("customer") { writer in
            writer.field("id", order.customerID)
            writer.field("external_id", order.customer.externalID)
            writer.field("name", order.customer.name)
            writer.field("email", order.customer.email)
        }
        writer.arrayField("tags") { writer in for tag in order.tags { writer.string(tag) } }
        writer.arrayField("lines") { writer in
            for line in order.lines { writer.object { writer in write(line, &writer) } }
        }
        writer.arrayField("adjustments") { writer in
            for adjustment in order.adjustments {
                writer.object { writer in
                    writer.field("external_id", adjustment.externalID)
                    writer.field("kind", "refund")
                    writer.field("amount", adjustment.amount)
                    writer.field("reason", adjustment.reason)
                }
            }
        }
        writer.field("source_updated_at", order.sourceVersion)
        writer.field("placed_at", order.placedAt)
        writer.field("version", order.version)
        writer.field("created_at", order.createdAt)
        writer.field("updated_at", order.updatedAt)
    }

    private static func writeMoney(_ order: Order, _ writer: inout JSONWriter) {
        writer.field("currency", order.currency.code)
        writer.field("subtotal", order.subtotal)
        writer.field("discount_total", order.discount)
        writer.field("shipping_total", order.shipping)
        writer.field("tax_total", order.tax)
        writer.field("total", order.total)
        writer.field("total_difference", order.totalDifference)
        writer.field("refunded_total", order.refunded)
        guard let shown = order.presentment else { return }
        writer.objectField("presentment") { writer in
            writer.field("currency", shown.total.currency.code)
            writer.field("discount_total", shown.discount)
            writer.field("shipping_total", shown.shipping)
            writer.field("tax_total", shown.tax)
            writer.field("total", shown.total)
        }
    }

    private static func write(_ line: OrderLine, _ writer: inout JSONWriter) {
        writer.field("line_id", line.key)
        writer.field("item_id", line.itemID)
        writer.field("sku", line.sku)
        writer.field("title", line.title)
        writer.field("variant_id", line.variant)
        writer.field("match", line.match.rawValue)
        writer.field("custom", line.isCustom)
        writer.field("location_id", line.location)
        writer.field("quantity_ordered", line.quantityOrdered)
        writer.field("quantity_current", line.quantityCurrent)
        writer.field("quantity_fulfilled", line.quantityFulfilled)
        writer.field("quantity_returned", line.quantityReturned)
        writer.field("unit_price", line.unitPrice)
        writer.field("total", line.total)
        writer.field("tax", line.tax)
    }

    // MARK: Story

    static func write(_ story: OrderService.Story, _ writer: inout JSONWriter) {
        write(story.order, &writer)
        for (name, kind) in [("fulfilments", Parcel.Kind.fulfilment), ("returns", .returned)] {
            writer.arrayField(name) { writer in
                for parcel in story.parcels where parcel.kind == kind {
                    writer.object { writer in write(parcel, &writer) }
                }
            }
        }
        writer.arrayField("timeline") { writer in
            // Both are in the order of their time; ids are as well, whichever of the two they name.
            var notes = story.notes[...]
            for event in story.timeline {
                while let note = notes.first, note.createdAt < event.occurredAt {
                    writer.object { writer in write(note, &writer) }
                    notes.removeFirst()
                }
                writer.object { writer in write(event, &writer) }
            }
            for note in notes { writer.object { writer in write(note, &writer) } }
        }
        // As text: a source's bytes need not be JSON that survives being written again.
        if let payload = story.sourcePayload {
            writer.field("source_payload", String(decoding: payload, as: UTF8.self))
        }
    }

    static func write(_ parcel: Parcel, _ writer: inout JSONWriter) {
        writer.field("id", parcel.id)
        writer.field("external_id", parcel.externalID)
        if parcel.kind == .fulfilment {
            writer.field("carrier", parcel.carrier)
            writer.field("tracking_number", parcel.trackingNumber)
            writer.field("tracking_url", parcel.trackingURL)
        } else {
            writer.field("reason", parcel.reason)
        }
        writer.arrayField("items") { writer in
            for line in parcel.lines {
                writer.object { writer in
                    writer.field("line_id", line.key)
                    writer.field("quantity", line.quantity)
                }
            }
        }
        writer.field("created_at", parcel.createdAt)
    }

    private static func write(_ event: DomainEvent, _ writer: inout JSONWriter) {
        writer.field("event_id", event.id)
        writer.field("event_type", event.type)
        writer.field("timestamp", event.occurredAt)
        writer.field("user_id", event.actor.user)
        writer.field("role", event.actor.role)
        writer.field("source", event.source)
    }

    private static func write(_ note: OrderNote, _ writer: inout JSONWriter) {
        writer.field("note_id", note.id)
        writer.field("note", note.text)
        writer.field("timestamp", note.createdAt)
        writer.field("user_id", note.author.user)
        writer.field("role", note.author.role)
    }
}
