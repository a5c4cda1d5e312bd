import Commerce

enum InventoryOperations {
    private static let root = "/api/v1/inventory"
    private static let most = AdjustmentRequest.most

    static let group = OperationGroup(
        name: "Inventory", summary: "Locations, levels, their ledger, and what changes them.",
        schemas: [
            "Level": .object([
                "id": .uuid, "variant_id": .uuid, "sku": .text.orNull, "location_id": .uuid, "on_hand": .integer,
                "reserved": .integer, "available": .integer, "low_stock_threshold": .integer,
                "has_own_threshold": .boolean, "low_stock": .boolean, "updated_at": .time,
            ]),
            "LedgerLine": .object([
                "id": .uuid, "variant_id": .uuid, "sku": .text.orNull, "location_id": .uuid,
                "reason": .choice(LedgerReason.self), "quantity_delta": .integer, "reserved_delta": .integer,
                "on_hand": .integer, "reserved": .integer, "available": .integer, "order_id": .uuid.orNull,
                "transfer_id": .uuid.orNull, "note": .text.orNull, "user_id": .uuid.orNull, "source": .text.orNull,
                "created_at": .time,
            ]),
            "NoLedgerLine": Schema.object([
                "id": .null, "variant_id": .uuid, "location_id": .uuid.orNull, "quantity_delta": .integer,
            ]).saying("An adjustment of nothing, which has no line."),
            "Adjustment": .request([
                "variant_id": .uuid, "location_id?": Schema.uuid.saying("The default location where none is given."),
                "quantity_delta": .integer(-most...most),
                "reason?": .choice("adjustment", "sale", "return", "sync"), "note?": .text(upTo: 500),
            ]),
            "InventorySettings": .object([
                "inventory_allocation_model": .choice(InventorySettings.Allocation.self),
                "default_low_stock_threshold": .integer(0...most),
            ]),
            "Location": .object([
                "id": .uuid, "name": .text, "is_default": .boolean, "version": .integer, "created_at": .time,
                "updated_at": .time,
            ]),
        ],
        operations: levels + locations)

    private static let levels: [Operation] = [
        .get("\(root)/levels", "listLevels", "How many pieces lie where.")
            .asking([
                "variant_id?": .uuid, "sku?": .text, "location_id?": .uuid, "low_stock?": .choice("true", "false"),
            ]).paged(.named("Level")),
        .patch("\(root)/levels/{id}", "setThreshold", "At or below it a level is low; null is the default.")
            .taking(
                .object(["low_stock_threshold": Schema.integer(0...most).orNull]),
                example: #"{"low_stock_threshold": 5}"#
            ).answering(200, .named("Level")),
        .get("\(root)/ledger", "listLedger", "Every change of a level, oldest first.")
            .asking([
                "variant_id?": .uuid, "location_id?": .uuid, "order_id?": .uuid,
                "reason?": .choice(LedgerReason.self), "since?": .time,
            ]).paged(.named("LedgerLine")),
        .post("\(root)/adjust", "adjustLevel", "Changes a level by a number of pieces.").failing(404)
            .taking(
                .named("Adjustment"),
                example: #"{"variant_id": "0190a000-0000-7000-8000-000000000009", "quantity_delta": 5}"#
            ).once().answering(201, .named("LedgerLine")).answering(200, .named("NoLedgerLine")),
        .post("\(root)/adjust/bulk", "adjustLevels", "Several adjustments, all or none.").failing(404)
            .taking(.request(["adjustments": .list(.named("Adjustment"), 1, upTo: AdjustmentRequest.linesMost)]))
            .once().answering(
                201, .object(["data": .list(.either(.named("LedgerLine"), .named("NoLedgerLine")))])),
        .post("\(root)/transfers", "transferStock", "Moves pieces from one location to another.").failing(404)
            .taking(
                .request([
                    "variant_id": .uuid, "from_location_id": .uuid, "to_location_id": .uuid,
                    "quantity": .integer(1...most), "note?": .text(upTo: 500),
                ])
            ).once().answering(
                201,
                .object([
                    "id": .uuid.orNull, "variant_id": .uuid, "quantity": .integer,
                    "entries": .list(.named("LedgerLine")),
                ])),
        .get("\(root)/settings", "readInventorySettings", "How stock is allocated.")
            .answering(200, .named("InventorySettings")),
        .put("\(root)/settings", "replaceInventorySettings", "Replaces these settings.", .role(.admin)).audited(
            .inventorySettings
        )
        .taking(
            .named("InventorySettings"),
            example: #"{"inventory_allocation_model": "HARD", "default_low_stock_threshold": 3}"#
        ).answering(200, .named("InventorySettings")),
    ]

    private static let locations: [Operation] = [
        .get("\(root)/locations", "listLocations", "The places where stock lies.").paged(.named("Location")),
        .get("\(root)/locations/{id}", "readLocation", "One location.").tagged().answering(200, .named("Location")),
        .post("\(root)/locations", "createLocation", "Makes a location.").audited(.location)
            .taking(
                .request(["name": .text(1, upTo: 200), "is_default?": .boolean]), example: #"{"name": "North"}"#
            ).once().tagged().answering(201, .named("Location")),
        .patch("\(root)/locations/{id}", "changeLocation", "Renames a location, or makes it the default.").audited(
            .location
        )
        .taking(
            .request(["name?": .text(1, upTo: 200), "is_default?": .boolean]), example: #"{"name": "South"}"#
        ).versioned().answering(200, .named("Location")),
    ]
}
