import Commerce
import Kernel
import TestSupport
import Testing

@testable import CatalogFeed

@Suite("Availability in the feed")
struct FeedStockTests {
    @Test("It is what all locations have together, less what orders claim", arguments: TestEngine.allCases)
    func sums(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            let shirt = SampleCatalogue.shirt(["S", "M", "L"], number: 1)
            try await shop.put(shirt)
            let (small, medium, large) = (shirt.variants[0].id, shirt.variants[1].id, shirt.variants[2].id)
            try await shop.level(small, onHand: 3, reserved: 3, isCounted: true, at: 1)
            try await shop.level(small, onHand: 1, isCounted: false, at: 2)
            try await shop.level(medium, onHand: 2, isCounted: true, at: 3)
            try await shop.level(medium, onHand: -2, isCounted: false, at: 4)
            // Only orders ever touched it: nobody knows how many there are.
            try await shop.level(large, onHand: -9, isCounted: false, at: 5)
            #expect(try await shop.availabilities() == ["in_stock", "backorder", "in_stock"])
        }
    }

    @Test("Where nothing may go below zero, what has run out can't be ordered", arguments: TestEngine.allCases)
    func hard(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            try await shop.allocate(.hard)
            let shirt = SampleCatalogue.shirt(["S", "M"], number: 1)
            try await shop.put(shirt)
            try await shop.level(shirt.variants[0].id, onHand: 0, isCounted: true, at: 1)
            #expect(try await shop.availabilities() == ["out_of_stock", "in_stock"])
            let rows = try await shop.bytes(.jsonld)
            #expect(String(decoding: rows, as: UTF8.self).contains("https://schema.org/OutOfStock"))
        }
    }
}

extension FeedShop {
    /// What agents are told of each variant, in their order.
    fileprivate func availabilities() async throws -> [String] {
        try await bytes().split(separator: 0x0A).flatMap { line in
            try JSONValue(parsing: Array(line))["variants"]?.array?.compactMap {
                $0["availability"]?["status"]?.string
            } ?? []
        }
    }
}
