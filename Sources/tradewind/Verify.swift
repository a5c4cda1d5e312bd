import ArgumentParser
import HTTPTypes
import Kernel
import Server
import Signing

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whether a delivery's signature is right, and if not, why.",
        discussion: """
            Give the body as it came, byte for byte, and the headers as they came. Headers that sign nothing are \
            passed over, so all of a request's may be given. Ends with 0 where every signature is right, else with 1.
            """)

    private static let bodyBytesMost = 64 << 20

    @Argument(help: "The file with the body; - is standard input.")
    var file = "-"

    @Option(name: [.customShort("H"), .long], help: "A header, as 'Name: value'; may be repeated.")
    var header: [String] = []

    @Option(help: "whsec_… or another shared secret, or whpk_…, a public key; else TRADEWIND_SIGNING_SECRET.")
    var secret: String?

    @Option(help: "How old a delivery may be: a number with s, m, h or d.")
    var tolerance = "300s"

    func run() async throws {
        guard let secret = secret ?? ClientVariable.signingSecret.value else {
            throw ValidationError("--secret is missing, and so is TRADEWIND_SIGNING_SECRET")
        }
        let tolerance = try Duration(option: tolerance, "--tolerance")
        let fields = try fields()
        let diagnosis = SignatureDiagnosis(
            body: try StreamedFile.contents(of: file, upTo: Self.bodyBytesMost), headers: fields,
            secret: Secret(secret), now: TimeSource.system.now(),
            toleranceSeconds: tolerance.components.seconds)
        for finding in diagnosis.findings {
            print(finding.fault.map { "wrong  \(finding.header): \($0)" } ?? "right  \(finding.header)")
        }
        for note in diagnosis.notes { print("note   \(note)") }
        if !diagnosis.isGenuine { throw ExitCode(1) }
    }

    private func fields() throws -> HTTPFields {
        var fields = HTTPFields()
        for line in header {
            guard let colon = line.firstIndex(of: ":"),
                let name = HTTPField.Name(String(line[..<colon]).trimmed)
            else { throw ValidationError("--header must be 'Name: value', not \"\(line)\"") }
            fields.append(HTTPField(name: name, value: String(line[line.index(after: colon)...]).trimmed))
        }
        return fields
    }
}
