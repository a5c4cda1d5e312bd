import FoundationEssentials

/// Machine and figures, as one Markdown table or as JSON.
struct Report: Codable {
    var machine: Machine
    var figures: [Figure]

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var markdown: String {
        var lines = [
            machine.line, "",
            "| figure | engine | measured | beside it, same run | ratio | asked for | met | load before → after |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for figure in figures {
            let met = figure.isMet.map { $0 ? "yes" : "**no**" } ?? "–"
            let cells = [
                figure.name, figure.engine, figure.measured, figure.beside, figure.ratio.map { $0.text(2) } ?? "–",
                figure.target ?? "–", met, "\(figure.loadBefore.text(1)) → \(figure.loadAfter.text(1))",
            ]
            lines.append("| \(cells.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }
}
