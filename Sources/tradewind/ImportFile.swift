import ArgumentParser
import AsyncHTTPClient
import Kernel
import NIOCore
import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct ImportFile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Brings a catalogue file into a running hub, and shows what was wrong with it.",
        discussion: "CSV of our own, of Shopify or of WooCommerce, or JSON lines; see docs/import-export.md.")

    private static let pieceBytes = 64 << 10
    private static let errorsShown = 20

    @Argument(help: "The file; - is standard input.")
    var file: String

    @OptionGroup var options: HubOptions

    @Option(help: "csv or jsonl; left out, the file's ending says it.")
    var format: String?

    @Option(help: "Currency of prices that name none, which those of stores' own files don't.")
    var currency: String?

    @Flag(help: "Only says what would become of the rows.")
    var dryRun = false

    func run() async throws {
        let client = try options.client()
        var progress = ProgressLine(isTerminal: isatty(STDERR_FILENO) == 1)
        var one = ImportAccount(try await upload(to: client))
        while one.isRunning {
            try show(progress.text(one.bytesDone, of: one.bytes, one.counts))
            try await Task.sleep(for: .milliseconds(250))
            one = ImportAccount(try await client.call(.GET, one.path))
        }
        try show(progress.end(one.ending))
        let faults = try await client.call(.GET, one.path + "/errors?limit=\(Self.errorsShown)")
        for line in one.faultLines(faults) { print(line) }
        if !one.isClean { throw ExitCode(1) }
    }

    private func upload(to client: HubClient) async throws -> JSONValue {
        guard let format = format ?? ["csv", "jsonl"].first(where: { file.hasSuffix(".\($0)") }) else {
            throw ValidationError("--format must be csv or jsonl where the file's name does not say it")
        }
        let input = try StreamedFile(reading: file)
        defer { input.endReading() }
        var path = "/api/v1/pim/imports?format=\(format)"
        if let currency { path += "&currency=\(currency)" }
        if dryRun { path += "&dry_run=true" }
        let length = input.size.map { HTTPClientRequest.Body.Length.known(Int64($0)) } ?? .unknown
        return try await client.call(
            .POST, path, type: format == "csv" ? "text/csv" : "application/x-ndjson",
            body: .stream(FilePieces(file: input, size: Self.pieceBytes), length: length), timeout: .hours(12))
    }
}

/// Standard output belongs to what a command answers.
func show(_ text: String) throws { try StreamedFile.standardError.write(Array(text.utf8)) }

/// A file as a body that is read as it is sent.
struct FilePieces: AsyncSequence, Sendable {
    let file: StreamedFile
    let size: Int

    struct AsyncIterator: AsyncIteratorProtocol {
        let file: StreamedFile
        let size: Int

        mutating func next() async throws -> ByteBuffer? {
            let bytes = try file.read(upTo: size)
            return bytes.isEmpty ? nil : ByteBuffer(bytes: bytes)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(file: file, size: size) }
}
