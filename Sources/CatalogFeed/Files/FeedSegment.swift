import Commerce
import Kernel
import Signing

/// Some hundred variants of the feed, one behind the other, in every part: what a change rewrites.
///
/// Where a segment ends follows from the products alone (`ends`), never from the history of changes. So the same
/// catalogue has the same segments in every copy of the server, and with them the same entity tags.
struct FeedSegment: Sendable, Equatable {
    /// One part of the segment within the data file.
    struct Extent: Sendable, Equatable {
        var byteCount: Int
        var deflatedCount: Int
        var crc: UInt32
        /// Variants, or lines of the report.
        var itemCount: Int
        /// The first 16 bytes of the plain bytes' SHA-256.
        var digest: [UInt8]
    }

    let first: ProductID
    let last: ProductID
    var productCount: Int
    /// Where it begins in the data file: first the index, then each part, plain and deflated.
    var offset: Int
    var indexCount: Int
    var extents: [Extent]

    var byteCount: Int { indexCount + extents.reduce(0) { $0 + $1.byteCount + $1.deflatedCount } }

    func plainOffset(_ part: FeedPart) -> Int {
        extents[..<part.rawValue].reduce(offset + indexCount) { $0 + $1.byteCount + $1.deflatedCount }
    }

    func deflatedOffset(_ part: FeedPart) -> Int { plainOffset(part) + extents[part.rawValue].byteCount }

    /// Whether a segment ends behind this product: on average after 256 variants, by the random bits of its id. A
    /// product weighs as many chances as it has variants, so that big ones do not pile up.
    static func ends(after product: ProductID, weight: Int) -> Bool {
        Int(product.low & 0xFFFF) < weight << 8
    }
}

/// A segment as the bytes that go into the data file, not yet placed.
struct SealedSegment: Sendable {
    var segment: FeedSegment
    let bytes: [UInt8]

    /// Joins rendered products, in the order of their ids, and compresses each part.
    init?(_ products: [RenderedProduct]) {
        guard let first = products.first, let last = products.last else { return nil }
        let index = SegmentIndex(products).bytes
        var bytes = index
        var extents: [FeedSegment.Extent] = []
        for part in FeedPart.allCases {
            var plain: [UInt8] = []
            plain.reserveCapacity(products.reduce(0) { $0 + $1.fragments[part.rawValue].bytes.count })
            var items = 0
            for product in products {
                plain.append(contentsOf: product.fragments[part.rawValue].bytes)
                items += product.fragments[part.rawValue].count
            }
            // The report is read by us alone, and only in parts.
            let deflated = part == .report ? [] : DeflatedBlock.deflated(plain)
            extents.append(
                FeedSegment.Extent(
                    byteCount: plain.count, deflatedCount: deflated.count, crc: DeflatedBlock.crc(plain),
                    itemCount: items, digest: Array(ContentDigest.sha256(plain).prefix(16))))
            bytes.append(contentsOf: plain)
            bytes.append(contentsOf: deflated)
        }
        segment = FeedSegment(
            first: first.id, last: last.id, productCount: products.count, offset: 0, indexCount: index.count,
            extents: extents)
        self.bytes = bytes
    }
}

extension SealedSegment {
    /// A segment as it stands in another file.
    init(copied segment: FeedSegment, bytes: [UInt8]) {
        self.segment = segment
        self.bytes = bytes
    }
}

/// What stands where in a segment: id, weight, and for each part bytes and items of every product, big-endian.
struct SegmentIndex {
    private static let entryCount = 16 + 4 + FeedPart.allCases.count * 8
    let bytes: [UInt8]

    init(_ products: [RenderedProduct]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(products.count * Self.entryCount)
        func append(_ value: Int) {
            for shift in stride(from: 24, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
        for product in products {
            bytes.append(contentsOf: product.id.bytes)
            append(product.weight)
            for fragment in product.fragments {
                append(fragment.bytes.count)
                append(fragment.count)
            }
        }
        self.bytes = bytes
    }

    /// The products of a segment, cut out of its parts' plain bytes; nil when the index does not fit them.
    static func products(index: [UInt8], parts: [[UInt8]]) -> [RenderedProduct]? {
        guard index.count.isMultiple(of: entryCount) else { return nil }
        var at = [Int](repeating: 0, count: parts.count)
        var products: [RenderedProduct] = []
        for start in stride(from: 0, to: index.count, by: entryCount) {
            func number(_ offset: Int) -> Int {
                index[(start + offset)..<(start + offset + 4)].reduce(0) { $0 << 8 | Int($1) }
            }
            guard let id = ProductID(bytes: index[start..<(start + 16)]) else { return nil }
            var fragments: [RenderedProduct.Fragment] = []
            for part in parts.indices {
                let count = number(20 + part * 8)
                guard at[part] + count <= parts[part].count else { return nil }
                fragments.append(
                    .init(bytes: Array(parts[part][at[part]..<(at[part] + count)]), count: number(24 + part * 8)))
                at[part] += count
            }
            products.append(RenderedProduct(id: id, weight: number(16), fragments: fragments))
        }
        return zip(at, parts).allSatisfy { $0 == $1.count } ? products : nil
    }
}
