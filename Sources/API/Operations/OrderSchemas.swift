import Commerce
import Kernel

/// The schemas of orders, in answers and in bodies.
enum OrderSchemas {
    static let all: KeyValuePairs<String, Schema> = [
        "Order": .object(order), "OrderLine": line,
        "OrderStory": .open([
            "id": .uuid, "fulfilments": .list(fulfilment),
            "returns": .list(returned), "timeline": .list(timelineEntry),
            "source_payload?": .text.saying("The source's own words, for admins."),
        ])
        .saying("The members of `Order`, and these."),
        "FulfilmentRecorded": .object(["fulfilment": fulfilment, "order": .named("Order")]),
        "ReturnRecorded": .object(["return": returned, "order": .named("Order")]),
        "NewOrder": new, "NewOrderLine": newLine,
    ]

    private static let order: KeyValuePairs<String, Schema> = [
        "id": .uuid, "external_id": .text.orNull, "number": .text.orNull, "connection_id": .uuid.orNull,
        "channel": .text,
        "source_platform": .text.orNull, "status": .choice(OrderStatus.self),
        "next_states": .list(.choice(OrderStatus.self)).saying("What `transition` can move it to."),
        "source_status": .text.orNull, "currency": .text,
        "subtotal": .amount, "discount_total": .amount, "shipping_total": .amount, "tax_total": .amount,
        "total": .amount, "total_difference": .amount, "refunded_total": .amount,
        "presentment?": .object([
            "currency": .text, "discount_total": .amount, "shipping_total": .amount, "tax_total": .amount,
            "total": .amount,
        ]),
        "match_status": .choice(Order.MatchStatus.self), "oversold": .boolean,
        "customer": .object([
            "id": .uuid.orNull, "external_id": .text.orNull, "name": .text.orNull, "email": .text.orNull,
        ]),
        "tags": .list(.text), "lines": .list(.named("OrderLine")),
        "adjustments": .list(
            .object(["external_id": .text, "kind": .choice("refund"), "amount": .amount, "reason": .text.orNull])),
        "source_updated_at": .time.orNull, "placed_at": .time.orNull, "version": .integer, "created_at": .time,
        "updated_at": .time,
    ]

    private static let line = Schema.object([
        "line_id": .text, "item_id": .text.orNull, "sku": .text.orNull, "title": .text, "variant_id": .uuid.orNull,
        "match": .choice(LineMatch.self), "custom": .boolean, "location_id": .uuid.orNull,
        "quantity_ordered": .integer, "quantity_current": .integer, "quantity_fulfilled": .integer,
        "quantity_returned": .integer, "unit_price": .amount, "total": .amount, "tax": .amount,
    ])

    private static let parcelItems = Schema.list(.object(["line_id": .text, "quantity": .integer]))

    private static let fulfilment = Schema.object([
        "id": .uuid, "external_id": .text.orNull, "carrier": .text.orNull, "tracking_number": .text.orNull,
        "tracking_url": .text.orNull, "items": parcelItems, "created_at": .time,
    ])

    private static let returned = Schema.object([
        "id": .uuid, "external_id": .text.orNull, "reason": .text.orNull, "items": parcelItems, "created_at": .time,
    ])

    private static let timelineEntry = Schema.either(
        .object([
            "event_id": .uuid, "event_type": .text, "timestamp": .time, "user_id": .uuid, "role": .text,
            "source": .text,
        ]),
        .object(["note_id": .uuid, "note": .text, "timestamp": .time, "user_id": .uuid, "role": .text]))

    // MARK: Bodies

    private static let word = Schema.text(1, upTo: 200)

    private static let newLine = Schema.request([
        "variant_id?": .uuid, "sku?": word, "location_id?": .uuid, "custom?": .boolean,
        "quantity": .integer(1...AdjustmentRequest.most), "unit_price": .givenAmount, "discount?": .givenAmount,
        "tax?": .givenAmount, "title?": .text(upTo: 500),
    ])

    private static let new = Schema.request([
        "idempotency_key": word, "external_id?": word, "number?": word, "currency": .currency,
        "channel?": .text(upTo: 100), "items": .list(.named("NewOrderLine"), 1), "shipping_total?": .givenAmount,
        "tax_total?": .givenAmount, "total?": .givenAmount,
        "presentment?": .request([
            "currency": .currency, "total": .givenAmount, "discount_total?": .givenAmount,
            "shipping_total?": .givenAmount, "tax_total?": .givenAmount,
        ]),
        "customer?": .request(["external_id?": word, "name?": word, "email?": word]), "customer_id?": .uuid,
        "tags?": .list(.text(1, upTo: 100), upTo: 50), "note?": .text(1, upTo: 4096),
    ])
}
