import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Catalogue files over HTTP and from the command line")
struct ImportStoryTests {
    private static let imports = "/api/v1/pim/imports"

    private func sheet(_ count: Int) -> String {
        (0..<count).reduce(into: "sku,title,price,currency\n") { $0 += "S\($1),Product \($1),\($1),USD\n" }
    }

    private func ended(_ api: Caller, _ id: String) async throws -> Answer {
        try await eventually("the import ends", every: .milliseconds(50)) {
            let one = try? await api.get("\(Self.imports)/\(id)")
            return one?["state"]?.string == "completed" ? one : nil
        }
    }

    private func key(_ key: String) throws -> HTTPFields {
        [try #require(HTTPField.Name("Idempotency-Key")): key]
    }

    @Test("A file is taken, followed to its end, and its errors are told", arguments: TestEngine.allCases)
    func story(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = server.caller(token: try await server.token(role: "member"))
            let file = sheet(3) + "S1,Again,1,USD\nX,Bad,1.234,USD\n"
            let sent = try await api.post(Self.imports + "?format=csv", file, key("a"))
            #expect(sent.status == 202, "\(sent.text)")
            let id = try sent.text("id")
            let one = try await ended(api, id)
            #expect(one["rows"]?["created"] == .number("3") && one["rows"]?["refused"] == .number("2"))
            #expect(one["bytes_done"] == one["bytes"] && one["source"]?.string == "tradewind")
            let errors = try await api.get("\(Self.imports)/\(id)/errors?limit=1")
            #expect(try errors.page().first?["line"] == .number("5"))
            let more = try await api.get("\(Self.imports)/\(id)/errors?cursor=\(errors.text("next_cursor"))")
            #expect(try more.page().map { $0["column"]?.string } == ["price"])
            #expect(try await api.post(Self.imports + "?format=csv", file, key("a")).text("id") == id)
            #expect(try await api.post(Self.imports + "?format=csv", file + "\n", key("a")).status == 409)
            #expect(try await api.post("\(Self.imports)/\(id)/cancel").status == 409)
            #expect(try await api.get(Self.imports).page().count == 1)
            let total = try #require(HTTPField.Name("X-Total-Count"))
            #expect(try await api.get("/api/v1/pim/export?format=jsonl").headers[total] == "3")

            let stranger = server.caller(
                token: try await server.token(tenant: TestServer.stranger), tenant: TestServer.stranger)
            #expect(try await stranger.get("\(Self.imports)/\(id)").status == 404)
            #expect(try await stranger.get("\(Self.imports)/\(id)/errors").status == 404)
            let viewer = server.caller(token: try await server.token(role: "viewer"))
            #expect(try await viewer.post(Self.imports + "?format=csv", file).status == 403)
            #expect(try await viewer.get("/api/v1/pim/export").status == 403)
            for (query, body) in [
                ("", file), ("?format=xml", file), ("?format=csv&currency=ABC", file), ("?format=csv&dry_run=1", file),
                ("?format=csv", ""), ("?format=csv", "colour\nred\n"),
            ] {
                #expect(try await api.post(Self.imports + query, body).status == 422, "\(query)")
            }
            // What was refused left nothing behind.
            #expect(try await api.get(Self.imports).page().count == 1)
        }
    }

    @Test("A file beyond the bound is refused, and one beyond that of bodies is not")
    func bounds() async throws {
        try await withServer(.sqlite, environment: ["TRADEWIND_IMPORT_LIMIT_BYTES": "3000000"]) { server in
            let api = server.caller(token: try await server.token())
            let line = "A,\(String(repeating: "t", count: 990)),1,USD\n"
            let file = "sku,title,price,currency\n" + String(repeating: line, count: 2500)
            let sent = try await api.post(Self.imports + "?format=csv", file)
            #expect(sent.status == 202, "\(sent.text)")
            #expect(try await api.post(Self.imports + "?format=csv", file + file).status == 413)
        }
    }

    @Test("A server that is killed in the middle of a file goes on where it was", arguments: TestEngine.allCases)
    func killed(_ engine: TestEngine) async throws {
        try await withCopies(1, of: engine, environment: TestServer.shortLease) { servers in
            let server = servers[0]
            let process = try await server.start(["TRADEWIND_CRASH_AT": "mid_import:3"])
            let api = server.caller(token: try await server.token())
            let sent = try await api.post(Self.imports + "?format=csv", sheet(3000))
            let id = try sent.text("id")
            _ = await process.exit()
            try await server.start()
            let again = server.caller(token: try await server.token())
            let one = try await ended(again, id)
            #expect(one["rows"]?["created"] == .number("3000") && one["rows"]?["read"] == .number("3000"))
            #expect(one["errors"] == .number("0"))
        }
    }

    @Test("import and export move a catalogue from one tenant to another")
    func commands() async throws {
        try await withServer(.sqlite) { server in
            let file = server.folder + "/in.csv"
            try Data((sheet(700) + "S1,Again,1,USD\n").utf8).write(to: URL(fileURLWithPath: file))
            let hub = ["--hub", server.address, "--token", try await server.token()]
            let brought = try await Program.run(["import", file] + hub)
            #expect(brought.exit == .code(1) && brought.output.hasPrefix("line 702: sku:"), "\(brought)")
            #expect(brought.errors.hasSuffix("completed: 701 rows: 700 created, 0 updated, 0 unchanged, 1 refused\n"))
            // Nobody looks at a pipe: no bar is drawn over there.
            #expect(!brought.errors.contains("\r") && !brought.errors.contains("\u{1B}"), "\(brought)")
            let out = server.folder + "/out.jsonl"
            let written = try await Program.run(["export", out] + hub)
            #expect(written.exit == .code(0), "\(written)")
            #expect(written.errors.hasSuffix(" bytes written\n") && !written.errors.contains("\r"), "\(written)")
            #expect(written.errors.contains("100 %  700 products, "), "\(written)")
            let other = ["--hub", server.address, "--token", try await server.token(tenant: TestServer.stranger)]
            let copied = try await Program.run(["import", out] + other)
            #expect(copied.exit == .code(0) && copied.errors.contains("700 created"), "\(copied)")
            let missing = try await Program.run(["import", "/nowhere.csv"] + hub)
            #expect(missing.exit != .code(0) && missing.errors.contains("/nowhere.csv"))
        }
    }
}
