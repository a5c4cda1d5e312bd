import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Which moves of stock the catalogue's followers are told of")
struct AvailabilityTests {
    @Test("Only a move by which a variant sells out or comes back is a change", arguments: TestEngine.allCases)
    func turns(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            var told = try await shop.head()
            // Whoever sets a level to nothing may be the first to count it, so that is told each time.
            let moves: [(Int64, Bool)] = [(5, true), (-1, false), (-4, true), (-3, true), (4, true), (1, false)]
            for (delta, isChange) in moves {
                try await shop.stock(variant.id, delta)
                let head = try await shop.head()
                #expect((head > told) == isChange, "after \(delta)")
                told = head
            }
        }
    }

    @Test("What lies at another location still counts", arguments: TestEngine.allCases)
    func locations(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            try await shop.stock(variant.id, 2)
            let other = try await shop.location("Cellar")
            try await shop.stock(variant.id, 3, at: other.id)
            let told = try await shop.head()
            // The last piece upstairs: told to be safe, since a sale in the cellar could happen at the same moment.
            try await shop.stock(variant.id, -2)
            #expect(try await shop.head() == told + 1)
            try await shop.stock(variant.id, -2, at: other.id)
            #expect(try await shop.head() == told + 1)
            try await shop.stock(variant.id, -1, at: other.id)
            #expect(try await shop.head() == told + 2)
        }
    }

    @Test(
        "Orders alone never sell out what nobody counted; the last counted piece does", arguments: TestEngine.allCases)
    func orders(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            let told = try await shop.head()
            try await shop.take([snapshot("1", lines: [line("1", 2, sku: "A")])])
            #expect(try await shop.balance(variant.id).available == -2)
            #expect(try await shop.head() == told)
            // From now on somebody counts it, and there is none.
            try await shop.stock(variant.id, 1)
            #expect(try await shop.head() == told + 1)
            try await shop.stock(variant.id, 2)
            #expect(try await shop.head() == told + 2)
            try await shop.take([snapshot("2", lines: [line("1", sku: "A")])])
            #expect(try await shop.head() == told + 3)
            try await shop.take([snapshot("3", lines: [line("1", sku: "A")])])
            #expect(try await shop.head() == told + 3)
        }
    }

    @Test("Another allocation is a change of what is sold out, and of nothing else", arguments: TestEngine.allCases)
    func allocation(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let (empty, full) = (try await shop.variant("A").id, try await shop.variant("B").id)
            try await shop.stock(empty, 1)
            try await shop.stock(empty, -1)
            try await shop.stock(full, 1)
            let told = try await shop.head()
            try await shop.allocate(.hard)
            #expect(try await shop.head() == told + 1)
            try await shop.allocate(.hard, threshold: 3)
            #expect(try await shop.head() == told + 1)
        }
    }
}

extension Shop {
    /// The number of the newest change of the catalogue.
    fileprivate func head() async throws -> Int64 {
        try await database.read { try CatalogueChanges.head(of: Shop.scope, in: $0) }
    }
}
