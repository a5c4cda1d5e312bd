import Foundation
import Kernel
import TestSupport
import Testing

@testable import CatalogFeed

/// Other people's code that reads feeds, in an interpreter that has it.
enum FeedJudge {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Judges/feed_judge.py").path

    /// What is wrong with each of the texts, by their names.
    static func complaints(_ texts: KeyValuePairs<String, [UInt8]>) throws -> [String: [String]] {
        let python = try JudgePython.path()
        let input = JSONWriter.object { writer in
            for (name, text) in texts { writer.field(name, String(decoding: text, as: UTF8.self)) }
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script]
        let (asked, answered) = (Pipe(), Pipe())
        process.standardInput = asked
        process.standardOutput = answered
        try process.run()
        try asked.fileHandleForWriting.write(contentsOf: Data(input))
        try asked.fileHandleForWriting.close()
        let output = try answered.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the judge itself failed")
        let verdicts = try #require(try JSONValue(parsing: Array(output)).object)
        return Dictionary(
            uniqueKeysWithValues: verdicts.members.map { ($0.name, $0.value.array?.compactMap(\.string) ?? []) })
    }
}

@Suite("Feeds before foreign judges", .isLongWork)
struct FeedJudgeTests {
    private func documents(_ entries: [CatalogueEntry]) -> [FeedFormat: [UInt8]] {
        let renderer = ProductRenderer(scope: SampleCatalogue.scope, settings: SampleCatalogue.seller)
        let products = entries.map { renderer.render($0) }
        func joined(_ part: FeedPart) -> [UInt8] { products.flatMap { $0.fragments[part.rawValue].bytes } }
        return [
            .jsonld: SchemaOrgEmitter.opening(SampleCatalogue.scope, SampleCatalogue.seller) + joined(.jsonld)
                + SchemaOrgEmitter.closing,
            .jsonl: joined(.jsonl), .openai: joined(.openai),
        ]
    }

    private func judged(_ entries: [CatalogueEntry]) throws -> [String: [String]] {
        let documents = documents(entries)
        return try FeedJudge.complaints([
            "jsonld": documents[.jsonld] ?? [], "jsonl": documents[.jsonl] ?? [], "openai": documents[.openai] ?? [],
        ])
    }

    /// The recorded store with what readers want beside it.
    private func listed() throws -> [CatalogueEntry] {
        var entries = try SampleCatalogue.allRecorded()
        for index in entries.indices {
            entries[index].brand = "Hub"
            if entries[index].images.isEmpty { entries[index].images = [.init(url: "https://shop.example/1.jpg")] }
        }
        entries[0].variants[0].compareAt = SampleCatalogue.usd(1999)
        entries[1].options += ["Gender", "Engraving"]
        for variant in entries[1].variants.indices {
            entries[1].variants[variant].choices += [.init("Gender", "unisex"), .init("Engraving", "none")]
        }
        return entries + [SampleCatalogue.shirt(["S", "<b>M</b>"], number: 20)]
    }

    @Test("Processors of JSON-LD, models of UCP and a schema of the rows find nothing wrong")
    func good() throws {
        #expect(try judged(try listed()) == ["jsonld": [], "jsonl": [], "openai": []])
    }

    @Test("Google's required fields miss just where the report warns of it")
    func withoutPictures() throws {
        let entries = try SampleCatalogue.allRecorded()
        let warned = entries.filter { entry in
            FeedProjection(SampleCatalogue.seller).project(entry).notes.contains {
                $0.reason == .noImage && $0.effect == .warning
            }
        }
        let complaints = try judged(entries)["jsonld"] ?? []
        #expect(complaints.count == warned.reduce(0) { $0 + $1.variants.count } && !complaints.isEmpty)
        #expect(complaints.allSatisfy { $0.hasSuffix(": no image") })
    }

    @Test("The judges do see faults")
    func bad() throws {
        let documents = documents(try listed())
        func altered(_ format: FeedFormat, _ text: String, _ other: String) -> [UInt8] {
            Array(
                String(decoding: documents[format] ?? [], as: UTF8.self).replacingOccurrences(of: text, with: other)
                    .utf8)
        }
        let complaints = try FeedJudge.complaints([
            "jsonld": altered(.jsonld, "https://schema.org/InStock", "InStock"),
            "jsonl": altered(.jsonl, "\"amount\":", "\"sum\":"),
            "openai": altered(.openai, "\"brand\":", "\"maker\":"),
        ])
        #expect(complaints.count == 3 && complaints.values.allSatisfy { !$0.isEmpty })
        let misspelt = try FeedJudge.complaints(["jsonld": altered(.jsonld, "\"offers\":", "\"offer\":")])
        #expect(misspelt["jsonld"]?.contains("unknown term http://schema.org/offer") == true)
    }
}
