import Commerce
import Events
import Kernel
import Signing

/// What a feed consists of: the state of the catalogue that it shows, and its segments in the order of their products.
struct FeedManifest: Sendable, Equatable {
    /// What the segments were rendered with.
    var settings: FeedSettings
    var settingsVersion: Int64
    /// The number of the newest catalogue change that is in it.
    var sequence: Int64
    /// When that change was made: what `Last-Modified` tells.
    var changedAt: Timestamp
    /// The name of the data file beside the manifest.
    var dataName: String
    var segments: [FeedSegment]

    /// Bytes of the data file that the segments use.
    var liveBytes: Int { segments.reduce(0) { $0 + $1.byteCount } }

    /// Variants in a format, or lines of the report.
    func itemCount(_ part: FeedPart) -> Int { segments.reduce(0) { $0 + $1.extents[part.rawValue].itemCount } }

    var productCount: Int { segments.reduce(0) { $0 + $1.productCount } }

    /// The entity tag's text of a part: a digest over everything that its bytes depend on, found without reading them.
    func tag(_ part: FeedPart, opening: [UInt8]) -> String {
        var parts = [Array("\(part)\(ProductRenderer.version)".utf8), opening]
        for segment in segments where segment.extents[part.rawValue].byteCount > 0 {
            parts.append(segment.extents[part.rawValue].digest)
        }
        return hexText(Array(ContentDigest.sha256(parts: parts).prefix(16)))
    }
}

extension FeedManifest {
    /// The manifest as its file's text.
    var text: [UInt8] {
        var writer = JSONWriter(reserving: 1000 + segments.count * 400)
        writer.object { writer in
            writer.field("renderer", ProductRenderer.version)
            writer.field("seller_name", settings.sellerName)
            writer.field("seller_url", settings.sellerURL)
            writer.field("product_url", settings.productURL)
            writer.field("country", settings.country)
            writer.field("settings_version", settingsVersion)
            writer.field("sequence", sequence)
            writer.field("changed_at", changedAt.milliseconds)
            writer.field("data", dataName)
            writer.arrayField("segments") { writer in
                for segment in segments { writer.object { writer in segment.write(&writer) } }
            }
        }
        return writer.bytes
    }

    /// Reads a manifest; nil for one of another version and for one that is damaged: its feed is built anew.
    init?(text: [UInt8]) {
        guard let value = try? JSONValue(parsing: text), value["renderer"]?.integer == Int64(ProductRenderer.version),
            let sequence = value["sequence"]?.integer, let version = value["settings_version"]?.integer,
            let changedAt = value["changed_at"]?.integer,
            let dataName = value["data"]?.string, !dataName.contains("/"), let list = value["segments"]?.array
        else { return nil }
        settings = FeedSettings(
            sellerName: value["seller_name"]?.string, sellerURL: value["seller_url"]?.string,
            productURL: value["product_url"]?.string, country: value["country"]?.string)
        settingsVersion = version
        self.sequence = sequence
        self.changedAt = Timestamp(milliseconds: changedAt)
        self.dataName = dataName
        let segments = list.compactMap { FeedSegment($0) }
        guard segments.count == list.count else { return nil }
        self.segments = segments
    }
}

extension FeedSegment {
    fileprivate func write(_ writer: inout JSONWriter) {
        writer.field("first", first)
        writer.field("last", last)
        writer.field("products", productCount)
        writer.field("offset", offset)
        writer.field("index", indexCount)
        writer.arrayField("parts") { writer in
            for extent in extents {
                writer.object { writer in
                    writer.field("bytes", extent.byteCount)
                    writer.field("deflated", extent.deflatedCount)
                    writer.field("crc", extent.crc)
                    writer.field("items", extent.itemCount)
                    writer.field("digest", hexText(extent.digest))
                }
            }
        }
    }

    fileprivate init?(_ value: JSONValue) {
        guard let first = value["first"]?.string.flatMap({ ProductID($0) }),
            let last = value["last"]?.string.flatMap({ ProductID($0) }), let products = value["products"]?.count,
            let offset = value["offset"]?.count, let index = value["index"]?.count,
            let parts = value["parts"]?.array, parts.count == FeedPart.allCases.count
        else { return nil }
        let extents: [Extent] = parts.compactMap { part in
            guard let bytes = part["bytes"]?.count, let deflated = part["deflated"]?.count,
                let crc = part["crc"]?.count, crc <= Int(UInt32.max), let items = part["items"]?.count,
                let digest = part["digest"]?.string.flatMap({ hexBytes($0) })
            else { return nil }
            return Extent(
                byteCount: bytes, deflatedCount: deflated, crc: UInt32(crc), itemCount: items, digest: digest)
        }
        guard extents.count == parts.count else { return nil }
        self.init(
            first: first, last: last, productCount: products, offset: offset, indexCount: index, extents: extents)
    }
}

extension JSONValue {
    /// A whole number that is not below zero.
    fileprivate var count: Int? { integer.flatMap { $0 < 0 ? nil : Int($0) } }
}
