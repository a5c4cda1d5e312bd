import ArgumentParser

/// A catalogue file from its first byte to its last row, with events, and the memory that it takes.
struct ImportFigure {
    let lab: Lab
    let variants: Int

    private struct Sent: Decodable { let id: String }

    private struct State: Decodable {
        struct Rows: Decodable {
            let created: Int
            let refused: Int
        }

        let state: String
        let rows: Rows
    }

    func take() async throws -> [Figure] {
        let launch = try await lab.launch()
        let engine = lab.options.engine.rawValue
        lab.note("importing \(variants) variants")
        let file = (0..<variants).reduce(into: "handle,title,sku,price,currency,brand,tags\n") { text, number in
            // Two variants a product; the second row repeats what is the product's.
            let product = number / 2
            text += "p-\(product),Product \(product),SKU-\(number),\(number % 100).50,EUR,Acme,\"new, sale\"\n"
        }
        let figures = try await TradewindServer.with(launch) { server in
            let client = try await Workspace(on: server).client
            let path = "/api/v1/pim/imports"
            let began = LoadRun.now()
            let sent: Sent = try await client.require(
                client.post(path + "?format=csv", json: file), 202, "an import"
            ).decoded()
            var state: State
            repeat {
                try await Task.sleep(for: .milliseconds(50))
                state = try await client.require(client.get("\(path)/\(sent.id)"), 200, "its progress").decoded()
            } while state.state == "running"
            let rate = Double(variants) * 1e9 / Double(LoadRun.now() - began)
            guard state.state == "completed", state.rows.refused == 0 else {
                throw BenchError("the import ended as \(state.state) with \(state.rows.refused) rows refused")
            }
            let use = try ProcessUse(of: server.process.id)
            return [
                Figure(
                    name: "import of \(variants) variants from CSV", engine: engine, measured: "\(rate.text()) rows/s",
                    beside: "\(use.peakResidentMiB.text(1)) MiB at most", target: "≥ 10000 rows/s, ≤ 150 MiB",
                    isMet: rate >= 10_000 && use.peakResidentMiB <= 150,
                    samples: ["rows_per_second": [rate], "peak_mib": [use.peakResidentMiB]])
            ]
        }
        try lab.discard(launch)
        return figures
    }
}

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "A catalogue file brought in: rows a second, and memory.")

    @OptionGroup var options: LabOptions
    @Option(help: "Variants in the file.") var variants: Int?

    func run() async throws {
        try await Lab.report(options) { lab in
            let variants = variants ?? (options.quick ? 5_000 : 100_000)
            return try await Figure.taking { try await ImportFigure(lab: lab, variants: variants).take() }
        }
    }
}
