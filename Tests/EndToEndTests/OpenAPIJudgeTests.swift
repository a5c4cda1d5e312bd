import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("The API's document before foreign judges")
struct OpenAPIJudgeTests {
    /// Reading waits up to half a minute for an event, and a stream has no end: neither is for a judge in a hurry.
    private static let slow = ["/api/v1/webhooks/events", "/api/v1/webhooks/events/stream"]

    @Test("openapi-spec-validator finds nothing wrong with /openapi.json, and the page stands beside it")
    func valid() async throws {
        let python = try JudgePython.path()
        try await withServer(.sqlite) { server in
            let document = try await server.caller().get("/openapi.json")
            #expect(document.status == 200)
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Judges/openapi_judge.py").path
            let outcome = try await Program.run([python, script], input: document.body)
            #expect(outcome.exit == .code(0), "the judge itself failed: \(outcome.errors)")
            #expect(outcome.output == "good\n", "\(outcome.output)")
            let tag = try #require(document.headers[.eTag])
            let again = try await server.caller().call(.get, "/openapi.json", nil, [.ifNoneMatch: tag])
            #expect(again.status == 304)
            #expect(again.body.isEmpty)
            let page = try await server.caller().get("/docs")
            #expect(page.status == 200)
            #expect(page.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'") == true)
            for path in document["paths"]?.object?.members ?? [] { #expect(page.text.contains(path.name)) }
        }
    }

    @Test("schemathesis finds no server error and no answer that is not described", arguments: TestEngine.allCases)
    func conforms(_ engine: TestEngine) async throws {
        let isLong = Self.isLong
        try await withServer(engine) { server in
            var words = [
                "--phases", isLong ? "examples,coverage,fuzzing" : "coverage,fuzzing", "--max-examples",
                isLong ? "200" : "4",
            ]
            for path in isLong ? Self.slow.suffix(1) : Self.slow[...] { words += ["--exclude-path", path] }
            try await Self.judge(server, words)
        }
    }

    @Test(
        "schemathesis goes from what it made to reading, changing and ending it, and finds nothing undescribed",
        arguments: TestEngine.allCases)
    func linked(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            // The document's own links alone: those that the tool guesses lead nowhere, mostly.
            let lines = "[phases.stateful]\nmax-steps = 10\n[phases.stateful.inference]\nalgorithms = []\n"
            let settings = server.folder + "/schemathesis.toml"
            try Data(lines.utf8).write(to: URL(fileURLWithPath: settings))
            // A number of rows of calls, not of seconds: what is covered must not hang on how busy the machine is.
            var words = ["--phases", "stateful", "--mode", "positive", "--max-examples", Self.isLong ? "400" : "40"]
            for path in Self.slow { words += ["--exclude-path", path] }
            let output = try await Self.judge(server, words, settings: ["--config-file", settings])
            // Links that were gone along, of those that the document has.
            let covered = try #require(output.firstMatch(of: #/API Links: +(\d+) covered/#), "\(output)")
            #expect(try #require(Int(covered.1)) >= 10, "\(output)")
        }
    }

    @Test("The stream's answers are those that the document tells of")
    func stream() async throws {
        try await withServer(.sqlite) { server in
            let shop = try await Shop.open(server)
            try await shop.makeProduct("Shirt", sku: "SHIRT-M")
            let path = "/api/v1/webhooks/events/stream"
            // `begin` holds each of them against the document.
            func answer(_ query: String = "", _ more: HTTPFields = [:], as caller: Caller? = nil) async throws -> Answer
            {
                try await (caller ?? shop.api).begin(path + query, more, until: "data: {")
            }
            let whole = try await answer()
            #expect(whole.status == 200 && whole.headers[.contentType] == "text/event-stream")
            #expect(whole.text.contains("product.created"), "\(whole.text)")
            #expect(try await answer(as: shop.api.bare).status == 401)
            #expect(try await answer("?event_type=nothing.happened").status == 422)
            let last = try #require(HTTPField.Name("Last-Event-ID"))
            #expect(try await answer("", [last: "yesterday"]).status == 422)
            let lost = try await answer("?after=01890000000000000000000000")
            #expect([410, 422].contains(lost.status), "\(lost.text)")
        }
    }

    private static let isLong = ProcessInfo.processInfo.environment["TRADEWIND_TEST_LONG"] == "1"

    /// Lets schemathesis call a server as its admin, and returns what it says; it may find nothing.
    @discardableResult
    private static func judge(
        _ server: TestServer, _ words: [String], settings: [String] = []
    ) async throws -> String {
        let tool = URL(fileURLWithPath: try JudgePython.path()).deletingLastPathComponent()
            .appendingPathComponent("schemathesis").path
        let token = try await server.token()
        let outcome = try await withTemporaryFolder { folder in
            let all =
                [tool] + settings + [
                    "run", server.address + "/openapi.json", "--header", "Authorization: Bearer \(token)",
                    "--header", "X-Tenant-ID: \(TestServer.tenant)", "--header", "X-Org-ID: \(TestServer.tenant)",
                    "--checks",
                    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                    "--seed", "1", "--workers", "1", "--no-shrink", "--continue-on-failure", "--generation-database",
                    "none", "--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "40",
                    "--report",
                    "json", "--report-json-path", folder + "/report.json", "--report-dir", folder,
                ]
            return try await Program.run(all + words, environment: ["NO_COLOR": "1"], input: [])
        }
        #expect(outcome.exit == .code(0), "\(outcome.output.suffix(20_000))\n\(outcome.errors.suffix(2000))")
        return outcome.output
    }
}
