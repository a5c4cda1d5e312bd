import ArgumentParser
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct ExportFile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes the catalogue of a running hub into a file that an import takes.")

    @Argument(help: "The file; - is standard output.")
    var file = "-"

    @OptionGroup var options: HubOptions

    @Option(help: "csv or jsonl; left out, the file's ending says it, and csv where it doesn't.")
    var format: String?

    func run() async throws {
        let format = format ?? (file.hasSuffix(".jsonl") ? "jsonl" : "csv")
        var progress = ProgressLine(isTerminal: isatty(STDERR_FILENO) == 1)
        let client = try options.client()
        let response = try await client.send(.GET, "/api/v1/pim/export?format=\(format)", timeout: .hours(12))
        let total = response.headers.first(name: "X-Total-Count").flatMap { Int($0) }
        let output = try StreamedFile(writing: file)
        var count = ExportCount(isCSV: format == "csv")
        var written = 0
        for try await piece in response.body {
            try output.write(Array(piece.readableBytesView))
            count.take(piece.readableBytesView)
            written += piece.readableBytes
            try show(progress.text(count.products, of: total, "\(count.products) products, \(written) bytes"))
        }
        try output.finish()
        try show(progress.end("\(count.products) products, \(written) bytes written"))
    }
}
