import Events
import Kernel

/// One state of a feed: all that is known of it without reading its bytes.
package struct FeedFile: Sendable {
    let scope: Scope
    let manifest: FeedManifest
    /// Where the data file lies.
    let dataPath: String
    /// Whether this process made the data file, and may append to it.
    let isOwn: Bool

    package var settings: FeedSettings { manifest.settings }

    /// The format's bytes as they go over the wire.
    package func representation(_ format: FeedFormat, isCompressed: Bool) -> FeedRepresentation {
        let part = FeedPart(format)
        let opening = format == .jsonld ? SchemaOrgEmitter.opening(scope, settings) : []
        let closing = format == .jsonld ? SchemaOrgEmitter.closing : []
        let segments = manifest.segments.filter { $0.extents[part.rawValue].byteCount > 0 }
        let tag = manifest.tag(part, opening: opening)
        guard isCompressed else {
            let pieces = segments.map { FeedPiece.file($0.plainOffset(part), $0.extents[part.rawValue].byteCount) }
            return FeedRepresentation(
                tag: "\"\(tag)\"", changedAt: manifest.changedAt, pieces: [.bytes(opening)] + pieces + [.bytes(closing)]
            )
        }
        var crc = DeflatedBlock.crc(opening)
        var count = opening.count
        for segment in segments {
            let extent = segment.extents[part.rawValue]
            crc = DeflatedBlock.crc(crc, then: extent.crc, count: extent.byteCount)
            count += extent.byteCount
        }
        crc = DeflatedBlock.crc(crc, then: DeflatedBlock.crc(closing), count: closing.count)
        count += closing.count
        let pieces = segments.map { FeedPiece.file($0.deflatedOffset(part), $0.extents[part.rawValue].deflatedCount) }
        return FeedRepresentation(
            tag: "\"\(tag)-gzip\"", changedAt: manifest.changedAt,
            pieces: [.bytes(DeflatedBlock.gzipOpening + DeflatedBlock.deflated(opening))] + pieces
                + [.bytes(DeflatedBlock.deflated(closing) + DeflatedBlock.gzipClosing(crc: crc, count: count))])
    }

    func open() throws(FeedFileFault) -> DataFile { try DataFile.open(dataPath) }

    /// The products of one segment with all their bytes; throws where they are not what the manifest says.
    func products(of segment: FeedSegment, in data: DataFile) throws -> [RenderedProduct] {
        let parts = try FeedPart.allCases.map { part in
            let extent = segment.extents[part.rawValue]
            let bytes = try data.read(at: segment.plainOffset(part), count: extent.byteCount)
            if DeflatedBlock.crc(bytes) != extent.crc { throw DamagedFeed() }
            return bytes
        }
        let index = try data.read(at: segment.offset, count: segment.indexCount)
        guard let products = SegmentIndex.products(index: index, parts: parts), products.last?.id == segment.last else {
            throw DamagedFeed()
        }
        return products
    }
}

/// A data file does not hold what its manifest says: the feed has to be built anew.
struct DamagedFeed: Error {}

/// A run of bytes of a representation: at hand, or a place and length in the data file.
package enum FeedPiece: Sendable, Equatable {
    case bytes([UInt8])
    case file(Int, Int)

    var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, let count): count
        }
    }
}

/// A feed in one format and encoding: its validators, and where its bytes are.
package struct FeedRepresentation: Sendable {
    /// A strong entity tag, quotes included.
    package let tag: String
    package let changedAt: Timestamp
    package let pieces: [FeedPiece]

    /// The bytes in all.
    package var count: Int { pieces.reduce(0) { $0 + $1.count } }

    /// The pieces of some of the bytes, none larger than `limit`: what is read and sent at a time.
    package func pieces(in range: Range<Int>, limit: Int = 256 << 10) -> [FeedPiece] {
        var out: [FeedPiece] = []
        var start = 0
        for piece in pieces {
            let wanted = range.clamped(to: start..<(start + piece.count))
            var at = wanted.lowerBound
            while at < wanted.upperBound {
                let end = min(at + limit, wanted.upperBound)
                switch piece {
                case .bytes(let bytes): out.append(.bytes(Array(bytes[(at - start)..<(end - start)])))
                case .file(let offset, _): out.append(.file(offset + at - start, end - at))
                }
                at = end
            }
            start += piece.count
        }
        return out
    }
}
