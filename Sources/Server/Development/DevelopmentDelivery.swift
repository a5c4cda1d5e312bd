import HTTPTypes
import Integrations
import Kernel
import Signing

/// A delivery that is about to be posted to the server's own door.
struct DevelopmentDelivery: Sendable {
    let note: String
    let event: String
    let connection: ConnectionID
    let path: String
    let headers: HTTPFields
    let body: [UInt8]
    /// The source's id of the order that it tells of; nil when it tells of none.
    let order: String?

    /// A recorded one, to the connection of the store, with the store's own signature.
    init(_ recording: DevelopmentRecording, to store: Connection) {
        note = recording.note
        event = HTTPField.Name("X-WC-Webhook-Topic").flatMap { recording.headers[$0] } ?? "ping"
        connection = store.id
        path = "/webhooks/woocommerce/\(store.id)"
        headers = recording.headers
        body = recording.body
        let isOrder = event.hasPrefix("order.")
        order = isOrder ? (try? JSONValue(parsing: recording.body))?["id"]?.identifier : nil
    }

    /// An order in the gateway's frame and the seed's spelling, signed now.
    init(order id: String, skus: [String], note: String, to gateway: Connection, secret: Secret, now: Timestamp) {
        self.note = note
        event = "order.created"
        connection = gateway.id
        path = "/unified/webhook"
        order = id
        let name = event
        body = JSONWriter.object { writer in
            writer.field("connection_id", gateway.externalID)
            writer.field("event", name)
            writer.objectField("data") { writer in
                writer.field("id", id)
                writer.field("currency", "USD")
                writer.arrayField("line_items") { writer in
                    for sku in skus {
                        writer.object { writer in
                            writer.field("sku", sku)
                            writer.field("name", sku)
                            writer.field("quantity", 2)
                            writer.field("unit_amount", JSONValue.number("9.99"))
                        }
                    }
                }
            }
        }
        var headers: HTTPFields = [.contentType: "application/json"]
        if let key = SigningKey(secret) {
            let content = SignedContent(id: id, time: now, body: body)
            headers.append(contentsOf: SignatureCatalog.unifiedInbound.sign(content, key: key, older: []))
        }
        self.headers = headers
    }
}
