import ArgumentParser

/// The catalogue feed in all its formats: built from nothing, and after a change to one product.
struct CatalogFeedFigure {
    let lab: Lab
    let variants: Int

    /// The server looks less often than this while changes follow each other: a change after it finds it at rest.
    private static let rest: Duration = .milliseconds(700)
    private static let report = "/api/v1/ucp/report?limit=1"

    private struct Report: Decodable {
        let variants: [String: Int]
        let changed_at: String
    }

    private struct Products: Decodable {
        struct Product: Decodable { let id: String }
        let data: [Product]
    }

    func take() async throws -> [Figure] {
        let launch = try await lab.launch()
        lab.note("bringing in \(variants) variants")
        let headers = try await TradewindServer.with(launch) { server in
            let client = try await Workspace(on: server).client
            try await CatalogueFile(products: variants / 2, variantsEach: 2, isFull: true).bringIn(client)
            let seller =
                #"{"seller_name":"Acme","product_url":"https://shop.example/products/{handle}","country":"DE"}"#
            _ = try await client.require(client.put("/api/v1/ucp/settings", json: seller), 200, "the seller")
            return client.headers
        }
        // The import's own peak would hide what building takes: a new process starts from little.
        let figures = try await TradewindServer.with(launch) { server in
            let client = ControlClient(address: "http://127.0.0.1:\(server.port)", headers: headers)
            return try await measure(server, client)
        }
        try lab.discard(launch)
        return figures
    }

    private func measure(_ server: TradewindServer, _ client: ControlClient) async throws -> [Figure] {
        let engine = lab.options.engine.rawValue
        lab.note("building the feed")
        // Nobody has asked before, so the first to ask waits for everything to be built.
        let began = LoadRun.now()
        var report = try await read(client)
        let rebuilt = Double(LoadRun.now() - began) / 1e9
        guard ["jsonld", "jsonl", "openai"].allSatisfy({ report.variants[$0] ?? 0 >= variants }) else {
            throw BenchError("the feed shows \(report.variants) of \(variants) variants")
        }
        let peak = try ProcessUse(of: server.process.id).peakResidentMiB
        let products: Products = try await client.require(
            client.get("/api/v1/pim/products?limit=1"), 200, "a product"
        ).decoded()
        guard let product = products.data.first?.id else { throw BenchError("there is no product") }
        var shown: [Double] = []
        for round in 1...max(3, lab.rounds) {
            try await Task.sleep(for: Self.rest)
            let body = #"{"title":"Changed \#(round)"}"#
            _ = try await client.require(client.patch("/api/v1/pim/products/\(product)", json: body), 200, "a change")
            let changed = LoadRun.now()
            let before = report.changed_at
            repeat {
                guard LoadRun.now() - changed < 60_000_000_000 else { throw BenchError("the feed stays as it was") }
                try await Task.sleep(for: .milliseconds(2))
                report = try await read(client)
            } while report.changed_at == before
            shown.append(Double(LoadRun.now() - changed) / 1e6)
        }
        return [
            Figure(
                name: "feed of \(variants) variants from nothing, all formats", engine: engine,
                measured: "\(rebuilt.text(2)) s", beside: "\(peak.text(1)) MiB at most", target: "≤ 5 s, ≤ 200 MiB",
                isMet: rebuilt <= 5 && peak <= 200, samples: ["seconds": [rebuilt], "peak_mib": [peak]]),
            Figure(
                name: "one product's change until the feed of \(variants) shows it", engine: engine,
                measured: "\(median(shown).text()) ms",
                target: "≤ 200 ms", isMet: median(shown) <= 200, samples: ["shown_after_ms": shown]),
        ]
    }

    private func read(_ client: ControlClient) async throws -> Report {
        try await client.require(client.get(Self.report), 200, "the feed's report").decoded()
    }
}

struct CatalogFeedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue-feed", abstract: "The catalogue feed from nothing, and after one change.")

    @OptionGroup var options: LabOptions
    @Option(help: "Variants in the catalogue.") var variants: Int?

    func run() async throws {
        try await Lab.report(options) { lab in
            let variants = variants ?? (options.quick ? 5_000 : 100_000)
            return try await Figure.taking { try await CatalogFeedFigure(lab: lab, variants: variants).take() }
        }
    }
}
