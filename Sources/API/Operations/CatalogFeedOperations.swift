import CatalogFeed

enum CatalogFeedOperations {
    private static let root = "/api/v1/ucp"

    static let group = OperationGroup(
        name: "Catalogue feed", summary: "The catalogue for search engines and agents.",
        schemas: [
            "FeedSettings": .object([
                "seller_name": .text.orNull, "seller_url": .text.orNull, "product_url": .text.orNull,
                "country": .text.orNull,
            ]),
            "FeedNote": .open(["product_id": .uuid, "reason": .text, "effect": .text, "detail": .text]),
            "UCPAnswer": Schema.open(["ucp": .map(.anything)]).saying("As UCP 2026-04-08 has it."),
        ],
        operations: [
            .get("\(root)/catalog.json", "findCatalogue", "The way to the catalogue's file, good for minutes.", .key)
                .asking(["format?": .choice(FeedFormat.self)]).answering(302, nil),
            .get("\(root)/report", "readFeedReport", "What the files leave out, and why.", .key)
                .asking(["limit?": .integer(1...100), "cursor?": .text])
                .answering(
                    200,
                    .object([
                        "products": .integer, "variants": .map(.integer), "notes": .integer, "changed_at": .time,
                        "data": .list(.named("FeedNote")), "next_cursor": .text.orNull,
                    ])),
            .get("\(root)/settings", "readFeedSettings", "What the seller says of itself.", .key)
                .answering(200, .named("FeedSettings")),
            .put("\(root)/settings", "replaceFeedSettings", "Replaces these settings; for admins.", .key).audited(
                .feedSettings
            )
            .taking(
                .request([
                    "seller_name?": .text(1, upTo: 300), "seller_url?": .text(upTo: 2000),
                    "product_url?": .text(upTo: 2000).saying("With {handle} or {product_id} in it."),
                    "country?": .text(2, upTo: 2).saying("Two letters of ISO 3166-1."),
                ]), example: #"{"seller_name": "Example", "country": "US"}"#
            ).answering(200, .named("FeedSettings")),
            .get("/feeds/{token}/{name}", "readFeedFile", "A file of the catalogue, under its signed address.", .anyone)
                .failing(403, 412, 416).answering(200, .anything, as: "*/*").answering(206, .anything, as: "*/*")
                .answering(304, nil),
            .get("/.well-known/ucp", "readUCPProfile", "Which version of UCP is spoken here, and where.", .anyone)
                .answering(200, .named("UCPAnswer")),
            ucp("search", "Searches active products."), ucp("lookup", "Looks products up by their ids."),
            ucp("product", "One product, narrowed to chosen options."),
        ])

    private static func ucp(_ name: String, _ summary: String) -> Operation {
        .post("/catalog/\(name)", "ucp\(name.prefix(1).uppercased())\(name.dropFirst())", summary, .key)
            .taking(.map(.anything)).failing(404).answering(200, .named("UCPAnswer"))
    }
}
