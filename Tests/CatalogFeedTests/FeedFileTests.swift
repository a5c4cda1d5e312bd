import Commerce
import Events
import Kernel
import TestSupport
import Testing

@testable import CatalogFeed

@Suite("Feed files")
struct FeedFileTests {
    /// A file of three formats over a hundred made-up products, written by the writer that builders use.
    private func withFile(_ body: (FeedFile, FeedFolder) throws -> Void) async throws {
        try await withTemporaryFolder { path in
            let folder = FeedFolder(root: path + "/feeds")
            var writer = try FeedWriter(new: "segments-1", SampleCatalogue.scope, in: folder)
            for sealed in try Fragments.fresh(Dictionary(uniqueKeysWithValues: (1...2000).map { ($0, 0) })) {
                try writer.add(sealed)
            }
            try body(try writer.finish(manifest(), SampleCatalogue.scope, in: folder), folder)
        }
    }

    private func manifest() -> FeedManifest {
        FeedManifest(
            settings: SampleCatalogue.seller, settingsVersion: 3, sequence: 7,
            changedAt: Timestamp(milliseconds: 1_735_689_600_000), dataName: "", segments: [])
    }

    private func bytes(_ representation: FeedRepresentation, _ range: Range<Int>? = nil, of file: FeedFile) throws
        -> [UInt8]
    {
        let data = try file.open()
        return try representation.pieces(in: range ?? 0..<representation.count, limit: 1000).flatMap { piece in
            switch piece {
            case .bytes(let bytes): bytes
            case .file(let offset, let count): try data.read(at: offset, count: count)
            }
        }
    }

    @Test("The compressed form holds the bytes of the plain one", arguments: FeedFormat.allCases)
    func compressed(_ format: FeedFormat) async throws {
        try await withFile { file, _ in
            let plain = file.representation(format, isCompressed: false)
            let packed = file.representation(format, isCompressed: true)
            let whole = try bytes(plain, of: file)
            #expect(whole.count == plain.count)
            #expect(gunzipped(try bytes(packed, of: file)) == whole)
            #expect(packed.count < plain.count / 3 && packed.tag != plain.tag)
        }
    }

    @Test("Any part of it is the same part of the whole")
    func ranges() async throws {
        try await withFile { file, _ in
            let representation = file.representation(.jsonld, isCompressed: false)
            let whole = try bytes(representation, of: file)
            var random = SeededRandom(seed: 4)
            for _ in 0..<50 {
                let from = Int.random(in: 0..<whole.count, using: &random)
                let to = Int.random(in: from...whole.count, using: &random)
                #expect(try bytes(representation, from..<to, of: file) == Array(whole[from..<to]))
            }
        }
    }

    @Test("A manifest is read back as it was written, and a damaged one is none")
    func manifestText() async throws {
        try await withFile { file, folder in
            let read = try folder.manifest(SampleCatalogue.scope)
            #expect(read == file.manifest)
            let text = file.manifest.text
            #expect(FeedManifest(text: Array(text.dropLast())) == nil)
            #expect(FeedManifest(text: Array("{}".utf8)) == nil)
            let other = Scope(tenant: SampleCatalogue.scope.tenant, organisation: OrganisationID(high: 9, low: 9))
            let none = try folder.manifest(other)
            #expect(none == nil)
        }
    }

    @Test("A replaced file can be read to its end by whoever has it open")
    func replaced() async throws {
        try await withFile { file, folder in
            let representation = file.representation(.jsonl, isCompressed: false)
            let before = try bytes(representation, of: file)
            let data = try file.open()
            let writer = try FeedWriter(new: "segments-2", SampleCatalogue.scope, in: folder, copyingFrom: data)
            let empty = try writer.finish(manifest(), SampleCatalogue.scope, in: folder)
            let after = try representation.pieces(in: 0..<representation.count).flatMap { piece in
                if case .file(let offset, let count) = piece { return try data.read(at: offset, count: count) }
                return []
            }
            #expect(after == before)
            #expect(throws: FeedFileFault.self) { try file.open() }
            #expect(empty.representation(.jsonl, isCompressed: false).count == 0)
        }
    }

    @Test("Segments that are kept are copied into a new file and stay where they are in the old one")
    func keeping() async throws {
        try await withFile { file, folder in
            let tag = file.representation(.jsonl, isCompressed: false).tag
            let whole = try bytes(file.representation(.jsonl, isCompressed: false), of: file)
            var appending = try FeedWriter(appendingTo: file)
            for segment in file.manifest.segments { try appending.keep(segment) }
            let same = try appending.finish(manifest(), SampleCatalogue.scope, in: folder)
            #expect(same.manifest.segments == file.manifest.segments)
            var copying = try FeedWriter(
                new: "segments-3", SampleCatalogue.scope, in: folder, copyingFrom: try same.open())
            for segment in same.manifest.segments { try copying.keep(segment) }
            let copied = try copying.finish(manifest(), SampleCatalogue.scope, in: folder)
            #expect(try bytes(copied.representation(.jsonl, isCompressed: false), of: copied) == whole)
            #expect(copied.representation(.jsonl, isCompressed: false).tag == tag)
        }
    }

    @Test("A tag changes with the bytes and with nothing else")
    func tags() async throws {
        try await withFile { file, _ in
            var manifest = file.manifest
            manifest.sequence = 99
            manifest.segments[0].offset += 1000
            #expect(manifest.tag(.jsonl, opening: []) == file.manifest.tag(.jsonl, opening: []))
            manifest.segments[0].extents[1].digest[0] ^= 1
            #expect(manifest.tag(.jsonl, opening: []) != file.manifest.tag(.jsonl, opening: []))
        }
    }
}
