import ArgumentParser

/// A catalogue file from its first byte to its last row, with events, and the memory that it takes.
struct ImportFigure {
    let lab: Lab
    let variants: Int

    func take() async throws -> [Figure] {
        let launch = try await lab.launch()
        let engine = lab.options.engine.rawValue
        lab.note("importing \(variants) variants")
        let figures = try await TradewindServer.with(launch) { server in
            let client = try await Workspace(on: server).client
            let spent = try await CatalogueFile(products: variants / 2, variantsEach: 2).bringIn(client)
            let rate = Double(variants) * 1e9 / Double(spent)
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
