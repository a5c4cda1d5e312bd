import Commerce
import Kernel

enum OrderOperations {
    private static let root = "/api/v1/oms/orders"

    static let group = OperationGroup(
        name: "Orders", summary: "What was bought, item by item, and what became of it.",
        schemas: OrderSchemas.all, operations: orders + life)

    private static let orders: [Operation] = [
        .get(root, "listOrders", "Orders, oldest first.")
            .asking([
                "status?": .choice(OrderStatus.self), "channel?": .text, "since?": .time,
                "match_status?": .choice(Order.MatchStatus.self), "external_id?": .text, "tag?": .text,
                "search?": .text, "customer?": .uuid,
            ]).paged(.named("Order")),
        .get("\(root)/{id}", "readOrder", "One order, with its parcels and the newest of its timeline.")
            .tagged().answering(200, .named("OrderStory")),
        .post(root, "placeOrder", "Places an order; the same key gives the order that is there.")
            .taking(
                .named("NewOrder"),
                example: """
                    {"idempotency_key": "cart-1", "currency": "USD", "channel": "api",
                     "items": [{"sku": "SHIRT-M", "quantity": 1, "unit_price": 149.99}]}
                    """
            ).once().failing(404).tagged().answering(201, .named("Order")).answering(200, .named("Order")),
    ]

    private static let life: [Operation] = [
        .patch("\(root)/{id}", "editOrder", "Changes quantities, adds lines, tags or a note.")
            .taking(
                .request([
                    "lines?": .list(.request(["line_id": .text(1, upTo: 200), "quantity": .integer(0...most)])),
                    "add_lines?": .list(.named("NewOrderLine")),
                    "tags?": .list(.text(1, upTo: 100), upTo: 50), "note?": .text(1, upTo: 4096),
                ]), example: #"{"tags": ["gift"]}"#
            ).versioned().answering(200, .named("Order")),
        .post("\(root)/{id}/transition", "moveOrder", "Moves an order; a move that is none names those that are.")
            .taking(.request(["to": .choice(OrderStatus.self)]), example: #"{"to": "cancelled"}"#)
            .versioned().answering(200, .named("Order")),
        .post("\(root)/{id}/notes", "addOrderNote", "Adds a note to the timeline.")
            .taking(.request(["text": .text(1, upTo: 4096)]), example: #"{"text": "Called back."}"#)
            .once().versioned().answering(201, .named("Order")),
        .post("\(root)/{id}/fulfilments", "fulfilOrder", "Records a parcel that left. No items are all.")
            .taking(
                .request([
                    "external_id?": .text(1, upTo: 200), "carrier?": .text(upTo: 100),
                    "tracking_number?": .text(upTo: 200), "tracking_url?": .text(upTo: 2000), "items?": parcelItems,
                ]), isRequired: false
            ).once().versioned()
            .answering(201, .named("FulfilmentRecorded")).answering(200, .named("FulfilmentRecorded")),
        .post("\(root)/{id}/returns", "returnOrder", "Records what came back. No items are all.")
            .taking(
                .request([
                    "external_id?": .text(1, upTo: 200), "reason?": .text(upTo: 500), "items?": parcelItems,
                ]), isRequired: false
            ).once().versioned()
            .answering(201, .named("ReturnRecorded")).answering(200, .named("ReturnRecorded")),
        .post("\(root)/{id}/refunds", "refundOrder", "Records a refund that was made.")
            .taking(
                .request([
                    "external_id": .text(1, upTo: 200), "amount": .givenAmount, "currency?": .currency,
                    "reason?": .text(upTo: 500),
                ]), example: #"{"external_id": "refund-1", "amount": 10}"#
            ).once().versioned().answering(201, .named("Order")).answering(200, .named("Order")),
    ]

    private static let most = AdjustmentRequest.most
    private static let parcelItems = Schema.list(
        .request(["line_id": .text(1, upTo: 200), "quantity": .integer(1...most)]), 1)
}
