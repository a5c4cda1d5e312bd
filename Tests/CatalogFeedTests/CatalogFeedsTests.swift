import Commerce
import Events
import Foundation
import Kernel
import Storage
import TestSupport
import Testing

@testable import CatalogFeed

@Suite("Feeds that follow their catalogue")
struct CatalogFeedsTests {
    private func mug(_ number: UInt64, _ title: String) -> CatalogueEntry {
        var entry = SampleCatalogue.mug(number)
        entry.title = title
        return entry
    }

    /// Products whose ids are spread as those of UUIDv7 are, so that there are several segments.
    private func many(_ numbers: Range<UInt64>, _ title: String = "Mug") -> [CatalogueEntry] {
        numbers.map { number in
            var entry = SampleCatalogue.shirt(["S", "M", "L"], number: number)
            entry.id = Fragments.id(number)
            entry.title = "\(title) \(number)"
            return entry
        }
    }

    @Test("The first to ask gets the catalogue as it is", arguments: TestEngine.allCases)
    func first(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            #expect(try await shop.bytes().isEmpty)
            try await shop.put(mug(1, "One"))
            try await shop.put(mug(2, "Draft"), status: "draft")
            try await shop.put(mug(3, "Two"))
            #expect(await shop.feeds.keepUp() == [SampleCatalogue.scope])
            #expect(try await shop.titles() == ["One", "Two"])
            let document = try JSONValue(parsing: try await shop.bytes(.jsonld))
            #expect(document["@graph"]?.array?.compactMap { $0["name"]?.string } == ["One", "Two"])
            #expect(await shop.feeds.keepUp() == [])
        }
    }

    @Test(
        "A change shows with the next turn, and readers have the old state until then", arguments: TestEngine.allCases)
    func change(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            try await shop.put(mug(1, "One"))
            try await shop.put(mug(2, "Two"))
            let before = try await shop.tags()
            try await shop.put(mug(1, "Uno"))
            #expect(try await shop.titles() == ["One", "Two"])
            #expect(await shop.feeds.keepUp() == [SampleCatalogue.scope])
            #expect(try await shop.titles() == ["Uno", "Two"])
            #expect(try await shop.tags() != before)
            try await shop.put(mug(1, "One"))
            await shop.feeds.keepUp()
            #expect(try await shop.tags() == before)
        }
    }

    @Test("What is deleted or no longer active vanishes", arguments: TestEngine.allCases)
    func gone(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            for number in 1...3 { try await shop.put(mug(UInt64(number), "\(number)")) }
            #expect(try await shop.titles() == ["1", "2", "3"])
            try await shop.delete(SampleCatalogue.id(2))
            try await shop.put(mug(3, "3"), status: "inactive")
            await shop.feeds.keepUp()
            #expect(try await shop.titles() == ["1"])
            try await shop.put(mug(3, "back"))
            await shop.feeds.keepUp()
            #expect(try await shop.titles() == ["1", "back"])
        }
    }

    @Test("A copy that was carried along has the tags of one that was built at once", arguments: TestEngine.allCases)
    func copies(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            for entry in many(0..<400) { try await shop.put(entry) }
            _ = try await shop.tags()
            var random = SeededRandom(seed: 11)
            for round in 0..<5 {
                for _ in 0..<8 {
                    let number = UInt64.random(in: 0..<450, using: &random)
                    let entry = try #require(many(number..<(number + 1), "Round \(round)").first)
                    try await shop.put(entry, status: random.next().isMultiple(of: 3) ? "inactive" : "active")
                }
                await shop.feeds.keepUp()
                let other = FeedShop.feeds(shop.database, shop.path + "-\(round)")
                #expect(try await shop.tags() == shop.tags(other))
                #expect(try await shop.bytes(.jsonld) == shop.bytes(.jsonld, of: other))
                #expect(gunzipped(try await shop.bytes(.jsonld, isCompressed: true)) == (try await shop.bytes(.jsonld)))
            }
        }
    }

    @Test("One change among many rewrites little")
    func little() async throws {
        try await withFeedShop(.sqlite) { shop in
            for entry in many(0..<600) { try await shop.put(entry) }
            let before = try await shop.feeds.file(of: SampleCatalogue.scope)
            try await shop.put(try #require(many(300..<301, "Changed").first))
            await shop.feeds.keepUp()
            let after = try await shop.feeds.file(of: SampleCatalogue.scope)
            #expect(after.dataPath == before.dataPath)
            let kept = after.manifest.segments.filter { before.manifest.segments.contains($0) }
            #expect(before.manifest.segments.count > 4 && kept.count == before.manifest.segments.count - 1)
        }
    }

    @Test("After a restart the files that there are go on", arguments: TestEngine.allCases)
    func restart(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            for entry in many(0..<300) { try await shop.put(entry) }
            let before = try await shop.feeds.file(of: SampleCatalogue.scope)
            try await shop.put(try #require(many(10..<11, "While away").first))
            let again = FeedShop.feeds(shop.database, shop.path)
            let after = try await again.file(of: SampleCatalogue.scope)
            #expect(after.manifest.segments.count == before.manifest.segments.count)
            #expect(after.dataPath != before.dataPath)
            let fresh = FeedShop.feeds(shop.database, shop.path + "-fresh")
            #expect(try await shop.tags(again) == shop.tags(fresh))
            // The first process, whose file is gone from the folder, finds its way.
            #expect(try await shop.bytes() == shop.bytes(of: fresh))
        }
    }

    enum Damage: CaseIterable, Sendable { case data, manifest, missing }

    @Test("Damaged files are built anew", arguments: Damage.allCases)
    func damaged(_ damage: Damage) async throws {
        try await withFeedShop(.sqlite) { shop in
            for entry in many(0..<200) { try await shop.put(entry) }
            let file = try await shop.feeds.file(of: SampleCatalogue.scope)
            let whole = try await shop.bytes()
            let folder = FeedFolder(root: shop.path).path(SampleCatalogue.scope)
            switch damage {
            case .data:
                let zeros = Data(
                    repeating: 0, count: try #require(FileManager.default.contents(atPath: file.dataPath)).count)
                try zeros.write(to: URL(fileURLWithPath: file.dataPath))
            case .manifest: try Data("{".utf8).write(to: URL(fileURLWithPath: folder + "/manifest.json"))
            case .missing: try FileManager.default.removeItem(atPath: file.dataPath)
            }
            // A change in the last segment makes the next process read what is damaged.
            try await shop.put(try #require(many(199..<200).first))
            let again = FeedShop.feeds(shop.database, shop.path)
            if damage == .data {
                for number in 0..<200 {
                    try await shop.put(try #require(many(UInt64(number)..<UInt64(number + 1)).first))
                }
            }
            #expect(try await shop.bytes(of: again) == whole)
        }
    }

    @Test("What the seller says of itself shows within a turn")
    func settings() async throws {
        try await withFeedShop(.sqlite) { shop in
            try await shop.put(mug(1, "One"))
            #expect(try await shop.bytes(.openai).isEmpty)
            var settings = SampleCatalogue.seller
            settings.productURL = "https://shop.example/{product_id}"
            try await shop.set(settings)
            #expect(await shop.feeds.keepUp() == [SampleCatalogue.scope])
            let row = try JSONValue(parsing: Array(try await shop.bytes(.openai).dropLast()))
            #expect(row["seller_name"] == .string("Hub Shop"))
            #expect(row["url"] == .string("https://shop.example/\(SampleCatalogue.id(1))"))
            #expect(await shop.feeds.keepUp() == [])
        }
    }

    @Test("Another organisation's products are not in it")
    func scopes() async throws {
        try await withFeedShop(.sqlite) { shop in
            let sister = Scope(tenant: SampleCatalogue.scope.tenant, organisation: OrganisationID(high: 1, low: 3))
            try await shop.put(mug(1, "Ours"))
            try await shop.put(mug(2, "Theirs"), scope: sister)
            #expect(try await shop.titles() == ["Ours"])
            #expect(try await shop.titles(scope: sister) == ["Theirs"])
        }
    }

    @Test("Readers always see one whole state while it is rebuilt under them")
    func concurrent() async throws {
        try await withFeedShop(.sqlite) { shop in
            for entry in many(0..<60, "Round 0") { try await shop.put(entry) }
            _ = try await shop.tags()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 1...5 {
                        for entry in many(0..<60, "Round \(round)") { try await shop.put(entry) }
                        await shop.feeds.keepUp()
                    }
                }
                for format in FeedFormat.allCases {
                    group.addTask {
                        for _ in 0..<30 {
                            let plain = try await shop.bytes(format)
                            if format == .jsonld {
                                #expect(try JSONValue(parsing: plain)["@graph"]?.array?.count == 61)
                            }
                            let packed = try await shop.bytes(format, isCompressed: true)
                            #expect(gunzipped(packed) != nil)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await shop.titles().allSatisfy { $0.hasPrefix("Round 5 ") })
        }
    }

    @Test("When the store is away the last state is what readers get")
    func away() async throws {
        try await withFeedShop(.sqlite) { shop in
            try await shop.put(mug(1, "One"))
            #expect(try await shop.titles() == ["One"])
            await shop.database.shutdown()
            #expect(await shop.feeds.keepUp() == [])
            #expect(try await shop.titles() == ["One"])
        }
    }

    @Test("The report lists what was left out, page by page")
    func report() async throws {
        try await withFeedShop(.sqlite) { shop in
            for number in 1...3 {
                var entry = SampleCatalogue.shirt(["S", "M"], number: UInt64(number))
                entry.variants[0].price = nil
                entry.variants[1].price = nil
                try await shop.put(entry)
            }
            let (file, data) = try await shop.feeds.open(SampleCatalogue.scope)
            let report = FeedReport(file)
            var lines: [JSONValue] = []
            var cursor: FeedReport.Cursor?
            repeat {
                let page = try report.page(after: cursor, limit: 4, in: data)
                lines += try page.lines.map { try JSONValue(parsing: $0) }
                cursor = page.next.flatMap { FeedReport.Cursor($0.description) }
            } while cursor != nil
            #expect(lines.count == 9 && lines.allSatisfy { $0["reason"] == .string("no_price") })
            let summary = try JSONValue(parsing: JSONWriter.object { writer in report.writeSummary(&writer) })
            #expect(summary["products"] == .number("3") && summary["notes"] == .number("9"))
            #expect(summary["variants"]?["jsonld"] == .number("0"))
        }
    }
}
