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
        let tool = URL(fileURLWithPath: try JudgePython.path()).deletingLastPathComponent()
            .appendingPathComponent("schemathesis").path
        let isLong = ProcessInfo.processInfo.environment["TRADEWIND_TEST_LONG"] == "1"
        try await withServer(engine) { server in
            let token = try await server.token()
            let outcome = try await withTemporaryFolder { folder in
                var words = [
                    tool, "run", server.address + "/openapi.json", "--header", "Authorization: Bearer \(token)",
                    "--header", "X-Tenant-ID: \(TestServer.tenant)", "--header", "X-Org-ID: \(TestServer.tenant)",
                    "--checks",
                    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                    "--phases", isLong ? "examples,coverage,fuzzing" : "coverage,fuzzing", "--max-examples",
                    isLong ? "200" : "4", "--seed", "1", "--workers", "1", "--no-shrink", "--continue-on-failure",
                    "--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off",
                    "--request-timeout", "40", "--report", "json", "--report-json-path", folder + "/report.json",
                    "--report-dir", folder,
                ]
                for path in isLong ? Self.slow.suffix(1) : Self.slow[...] { words += ["--exclude-path", path] }
                return try await Program.run(words, environment: ["NO_COLOR": "1"], input: [])
            }
            #expect(outcome.exit == .code(0), "\(outcome.output.suffix(20_000))\n\(outcome.errors.suffix(2000))")
        }
    }
}
