import CZlib
import Commerce
import Events
import Kernel
import TestSupport
import Testing

@testable import CatalogFeed

/// Unpacks one gzip member as a reader does that knows nothing of how it was made; nil when it is none, or when
/// anything stands behind it.
func gunzipped(_ bytes: [UInt8], limit: Int = 64 << 20) -> [UInt8]? {
    var stream = z_stream()
    guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var input = bytes
    var isWhole = false
    let output = [UInt8](unsafeUninitializedCapacity: limit) { out, count in
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = out.baseAddress
            stream.avail_out = UInt32(out.count)
            isWhole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0
        }
        count = limit - Int(stream.avail_out)
    }
    return isWhole ? output : nil
}

@Suite("Segments of a feed")
struct SegmentTests {
    @Test("Deflated blocks in a row are one gzip member")
    func gzip() {
        let parts = [Array("one ".utf8), [], [UInt8](repeating: 7, count: 100_000), Array("end".utf8)]
        var crc = DeflatedBlock.crc([])
        var count = 0
        var bytes = DeflatedBlock.gzipOpening
        for part in parts {
            bytes += DeflatedBlock.deflated(part)
            crc = DeflatedBlock.crc(crc, then: DeflatedBlock.crc(part), count: part.count)
            count += part.count
        }
        bytes += DeflatedBlock.gzipClosing(crc: crc, count: count)
        #expect(gunzipped(bytes) == parts.flatMap { $0 })
        #expect(bytes.count < 1000)
    }

    @Test("A block that can't be compressed keeps within its bound")
    func noise() {
        var random = SeededRandom(seed: 1)
        let noise = (0..<300_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let bytes =
            DeflatedBlock.gzipOpening + DeflatedBlock.deflated(noise)
            + DeflatedBlock.gzipClosing(crc: DeflatedBlock.crc(noise), count: noise.count)
        #expect(gunzipped(bytes) == noise)
    }

    @Test("A segment's products come out of it as they went in")
    func index() throws {
        let products = Fragments.products(1...40)
        let sealed = try #require(SealedSegment(products))
        #expect(Fragments.products(of: sealed) == products)
        #expect(sealed.segment.productCount == 40 && sealed.bytes.count == sealed.segment.byteCount)
    }

    @Test("An index that doesn't fit its parts is no segment")
    func damaged() throws {
        let index = SegmentIndex(Fragments.products(1...3)).bytes
        let parts = [[UInt8]](repeating: [], count: FeedPart.allCases.count)
        #expect(SegmentIndex.products(index: index, parts: parts) == nil)
        #expect(SegmentIndex.products(index: Array(index.dropLast()), parts: parts) == nil)
    }

    @Test("Changes leave the segments that a new build would make", .isLongWork, arguments: 0..<40)
    func resegmenting(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var model: [UInt64: Int] = [:]
        for number in 0..<UInt64.random(in: 0...1500, using: &random) { model[number * 3] = 0 }
        var segments = try Fragments.fresh(model)
        for round in 1...6 {
            var edits: [ProductID: RenderedProduct?] = [:]
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                let number = UInt64.random(in: 0...5000, using: &random)
                let isGone = Bool.random(using: &random)
                model[number] = isGone ? nil : round
                edits[Fragments.id(number)] = .some(isGone ? nil : Fragments.product(number, version: round))
            }
            var next: [SealedSegment] = []
            var resegmenter = Resegmenter()
            let old = segments
            try resegmenter.run(
                old.map(\.segment), edits: edits,
                load: { wanted in
                    let found = try #require(old.first { $0.segment.first == wanted.first })
                    return try #require(Fragments.products(of: found))
                },
                emit: { output in
                    switch output {
                    case .kept(let segment): next.append(try #require(old.first { $0.segment == segment }))
                    case .cut(let sealed): next.append(sealed)
                    }
                })
            segments = next
            let fresh = try Fragments.fresh(model)
            #expect(segments.map(\.segment) == fresh.map(\.segment))
            #expect(segments.map(\.bytes) == fresh.map(\.bytes))
        }
    }

    @Test("One change among many products rewrites one segment or two")
    func locality() throws {
        let numbers = (0..<UInt64(5000)).map { $0 }
        let segments = try Fragments.fresh(Dictionary(uniqueKeysWithValues: numbers.map { ($0, 0) }))
        #expect((10...40).contains(segments.count))
        var cut = 0
        var resegmenter = Resegmenter()
        try resegmenter.run(
            segments.map(\.segment), edits: [Fragments.id(2500): Fragments.product(2500, version: 9)],
            load: { wanted in
                let found = try #require(segments.first { $0.segment.first == wanted.first })
                return try #require(Fragments.products(of: found))
            }, emit: { if case .cut = $0 { cut += 1 } })
        #expect(cut == 1)
    }
}

/// Small made-up fragments with ids whose last bits are well spread, as those of UUIDv7 are.
enum Fragments {
    static func id(_ number: UInt64) -> ProductID {
        var random = SeededRandom(seed: number)
        return ProductID(high: number, low: random.next())
    }

    static func product(_ number: UInt64, version: Int = 0) -> RenderedProduct {
        RenderedProduct(
            id: id(number), weight: Int(number % 3) + 1,
            fragments: FeedPart.allCases.map { part in
                let isEmpty = part == .report || number.isMultiple(of: 7)
                let text = isEmpty ? "" : "{\"\(part)\":\(number),\"version\":\(version)}\n"
                return .init(bytes: Array(text.utf8), count: isEmpty ? 0 : 1)
            })
    }

    static func products(_ numbers: ClosedRange<UInt64>) -> [RenderedProduct] { numbers.map { product($0) } }

    static func products(of sealed: SealedSegment) -> [RenderedProduct]? {
        let segment = sealed.segment
        let parts = FeedPart.allCases.map { part -> [UInt8] in
            let start = segment.plainOffset(part) - segment.offset
            return Array(sealed.bytes[start..<(start + segment.extents[part.rawValue].byteCount)])
        }
        return SegmentIndex.products(index: Array(sealed.bytes[..<segment.indexCount]), parts: parts)
    }

    /// The segments of a catalogue that is built in one pass.
    static func fresh(_ model: [UInt64: Int]) throws -> [SealedSegment] {
        var segments: [SealedSegment] = []
        var open: [RenderedProduct] = []
        for (number, version) in model.sorted(by: { $0.key < $1.key }) {
            let product = product(number, version: version)
            open.append(product)
            guard FeedSegment.ends(after: product.id, weight: product.weight) else { continue }
            segments.append(try #require(SealedSegment(open)))
            open = []
        }
        if !open.isEmpty { segments.append(try #require(SealedSegment(open))) }
        return segments
    }
}
