import Commerce
import Events
import Kernel
import Logging
import Storage
import TestSupport
import Testing

@testable import CatalogFeed

/// A catalogue in a database, and the feeds of one copy of the server over it.
struct FeedShop: Sendable {
    let database: any Database
    let path: String
    let feeds: CatalogFeeds

    static let time = ManualTime()

    init(_ database: any Database, path: String) {
        self.database = database
        self.path = path
        feeds = FeedShop.feeds(database, path)
    }

    /// Another copy over the same store, or this one after a restart.
    static func feeds(_ database: any Database, _ path: String) -> CatalogFeeds {
        CatalogFeeds(
            database: database, directory: path, bell: Doorbell(), time: time.source,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Writes a product as it shall be, whatever it was before, at a place in the tree of categories or at none.
    func put(
        _ entry: CatalogueEntry, status: String = "active", scope: Scope = SampleCatalogue.scope, at second: Int64 = 0,
        place: CategoryID? = nil
    ) async throws {
        let now = Self.time.now + .seconds(second)
        try await database.write { transaction in
            try Rows.remove(entry.id, in: transaction)
            try Rows.insert(entry, status, scope, now, in: transaction)
            try transaction.execute(
                "UPDATE product SET category_id = $2 WHERE id = $1", [.id(entry.id), .id(place)])
            try CatalogueChanges.count([scope: [entry.id]], now: now, in: transaction)
        }
    }

    func delete(_ id: ProductID, scope: Scope = SampleCatalogue.scope) async throws {
        let now = Self.time.now
        try await database.write { transaction in
            try transaction.execute("UPDATE product SET deleted_at = $2 WHERE id = $1", [.id(id), .time(now)])
            try CatalogueChanges.count([scope: [id]], now: now, in: transaction)
        }
    }

    /// Makes a category as a caller would, or changes the one that is named.
    @discardableResult
    func category(_ body: String, changing id: CategoryID? = nil) async throws -> CategoryID {
        let categories = CategoryService(
            database: database, ids: IDGenerator(time: Self.time.source), time: Self.time.source)
        let json = try JSONValue(parsing: Array(body.utf8))
        guard let id else {
            let new = try FieldReader.read(json) { CategoryChange($0, isNew: true) }
            return try await categories.create(new, scope: SampleCatalogue.scope).category.id
        }
        let change = try FieldReader.read(json) { CategoryChange($0) }
        return try await categories.change(id, change, scope: SampleCatalogue.scope).category.id
    }

    func set(_ settings: FeedSettings) async throws {
        try await FeedSettingService(database: database, time: Self.time.source).set(settings, SampleCatalogue.scope)
    }

    /// All bytes of a format, as a reader gets them.
    func bytes(
        _ format: FeedFormat = .jsonl, isCompressed: Bool = false, scope: Scope = SampleCatalogue.scope,
        of feeds: CatalogFeeds? = nil
    ) async throws -> [UInt8] {
        let (file, data) = try await (feeds ?? self.feeds).open(scope)
        let representation = file.representation(format, isCompressed: isCompressed)
        return try representation.pieces(in: 0..<representation.count).flatMap { piece -> [UInt8] in
            switch piece {
            case .bytes(let bytes): bytes
            case .file(let offset, let count): try data.read(at: offset, count: count)
            }
        }
    }

    /// The titles in the agents' lines, in their order.
    func titles(scope: Scope = SampleCatalogue.scope) async throws -> [String] {
        try await bytes(scope: scope).split(separator: 0x0A).map { line in
            try JSONValue(parsing: Array(line))["title"]?.string ?? ""
        }
    }

    /// The entity tags of all formats.
    func tags(_ feeds: CatalogFeeds? = nil) async throws -> [String] {
        let file = try await (feeds ?? self.feeds).file(of: SampleCatalogue.scope)
        return FeedFormat.allCases.map { file.representation($0, isCompressed: false).tag }
    }
}

/// Lends a shop over an empty database of the engine.
func withFeedShop(_ engine: TestEngine, _ body: (FeedShop) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        try await withDatabase(engine, time: FeedShop.time) { database in
            try await body(FeedShop(database, path: folder + "/feeds"))
        }
    }
}

private enum Rows {
    static func remove(_ id: ProductID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM variant WHERE product_id = $1", [.id(id)])
        try transaction.execute("DELETE FROM product WHERE id = $1", [.id(id)])
    }

    static func insert(
        _ entry: CatalogueEntry, _ status: String, _ scope: Scope, _ now: Timestamp, in transaction: any Transaction
    ) throws {
        let details = JSONWriter.object { writer in
            writer.arrayField("options") { writer in for option in entry.options { writer.string(option) } }
            writer.arrayField("tags") { writer in for tag in entry.tags { writer.string(tag) } }
            writer.arrayField("media") { writer in
                for image in entry.images {
                    writer.object { writer in
                        writer.field("url", image.url)
                        writer.field("alt", image.text)
                    }
                }
            }
        }
        try transaction.execute(
            """
            INSERT INTO product (id, tenant_id, org_id, title, description, brand, category, handle, url, details,
                status, version, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8, $9, $10, 1, $11, $11)
            """,
            [
                .id(entry.id), .id(scope.tenant), .id(scope.organisation), .text(entry.title),
                .text(entry.description), .text(entry.brand), .text(entry.category), .text(entry.url),
                .bytes(details), .text(status), .time(now),
            ])
        for variant in entry.variants { try insert(variant, entry.id, scope, now, in: transaction) }
    }

    private static func insert(
        _ variant: CatalogueEntry.Variant, _ product: ProductID, _ scope: Scope, _ now: Timestamp,
        in transaction: any Transaction
    ) throws {
        let choices = JSONWriter.object { writer in
            for choice in variant.choices { writer.field(choice.option, choice.value) }
        }
        try transaction.execute(
            """
            INSERT INTO variant (id, tenant_id, org_id, product_id, title, gtin, mpn, price_minor,
                compare_at_minor, currency, option_values, image_url, version, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $13)
            """,
            [
                .id(variant.id), .id(scope.tenant), .id(scope.organisation), .id(product),
                .text(variant.title), .text(variant.gtin), .text(variant.mpn), .int(variant.price?.minorUnits),
                .int(variant.compareAt?.minorUnits), .text(variant.price?.currency.code), .bytes(choices),
                .text(variant.image), .time(now),
            ])
    }
}

extension FeedShop {
    /// What lies of a variant at a location of its own, and whether anybody counted it.
    func level(
        _ variant: VariantID, onHand: Int64, reserved: Int64 = 0, isCounted: Bool, at place: UInt64,
        scope: Scope = SampleCatalogue.scope
    ) async throws {
        let now = Self.time.now
        let location = LocationID(high: 5, low: place)
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO location (id, tenant_id, org_id, name, is_default, version, created_at, updated_at)
                VALUES ($1, $2, $3, 'Shelf', 0, 1, $4, $4) ON CONFLICT (id) DO NOTHING
                """, [.id(location), .id(scope.tenant), .id(scope.organisation), .time(now)])
            try transaction.execute(
                """
                INSERT INTO inventory_level (id, tenant_id, org_id, variant_id, location_id, on_hand, reserved,
                    is_counted, updated_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                """,
                [
                    .uuid(high: 6, low: place), .id(scope.tenant), .id(scope.organisation), .id(variant),
                    .id(location), .int(onHand), .int(reserved), .int(isCounted ? 1 : 0), .time(now),
                ])
        }
    }

    func allocate(_ allocation: InventorySettings.Allocation) async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO inventory_setting (tenant_id, allocation, low_stock_threshold, updated_at)
                VALUES ($1, $2, 0, 0)
                """, [.id(SampleCatalogue.scope.tenant), .text(allocation.rawValue)])
        }
    }
}
