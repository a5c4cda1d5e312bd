import Foundation
import Kernel
import Signing
import TestSupport
import Testing

@Suite("The command line")
struct CommandLineTests {
    private static func serve(_ data: String, _ more: [String] = [], _ environment: [String: String] = [:]) async throws
        -> Program.Outcome
    {
        try await Program.run(
            ["serve", "--data-dir", data, "--listen", "127.0.0.1:0"] + more, environment: environment)
    }

    @Test("token prints a JWT and nothing else")
    func token() async throws {
        try await withTemporaryFolder { folder in
            let id = TestServer.tenant
            let words = [
                "token", "--data-dir", folder + "/data", "--tenant", id, "--org", id, "--user", id, "--role", "member",
            ]
            let outcome = try await Program.run(words)
            #expect(outcome.exit == .code(0))
            #expect(outcome.errors.isEmpty)
            let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == 2 && lines[1].isEmpty)
            let parts = lines[0].split(separator: ".", omittingEmptySubsequences: false)
            #expect(parts.count == 3)
            let claims = try JSONValue(parsing: #require(Base64.decode(String(parts[1]), .url)))
            #expect(claims["tenant_id"]?.string == id)
            #expect(claims["role"]?.string == "member")

            let badRole = try await Program.run(words.dropLast() + ["emperor"])
            #expect(badRole.exit != .code(0))
            #expect(badRole.output.isEmpty)
            #expect(badRole.errors.contains("emperor"))
        }
    }

    @Test("A variable that is no setting stops the start, and the text names it and those that exist")
    func unknownVariable() async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await Self.serve(folder + "/data", [], ["TRADEWIND_FOO": "1"])
            #expect(outcome.exit != .code(0))
            for name in ["TRADEWIND_FOO", "TRADEWIND_DATA_DIR", "TRADEWIND_LISTEN", "TRADEWIND_DATABASE_URL"] {
                #expect(outcome.errors.contains(name))
            }
            #expect(!FileManager.default.fileExists(atPath: folder + "/data"))
        }
    }

    @Test(
        "A setting that can't be used stops the start, and the text says what may stand there",
        arguments: [
            (["--listen", "nonsense"], "HOST:PORT"), (["--listen", "127.0.0.1:70000"], "HOST:PORT"),
            (["--database-url", "mysql://a"], "postgres://"), (["--egress-allow", "10.0.0.0/99"], "CIDR"),
            (["--data-dir", "/proc/nowhere"], "/proc/nowhere"), (["--config", "/nowhere.yaml"], "/nowhere.yaml"),
        ])
    func unusableSetting(_ words: [String], _ expected: String) async throws {
        try await withTemporaryFolder { folder in
            let given = ["--data-dir", folder + "/data", "--listen", "127.0.0.1:0"]
            let kept =
                words[0] == "--data-dir"
                ? Array(given.dropFirst(2)) : words[0] == "--listen" ? Array(given.prefix(2)) : given
            let outcome = try await Program.run(["serve"] + kept + words)
            #expect(outcome.exit != .code(0))
            #expect(outcome.errors.contains(expected), "\(outcome.errors)")
            #expect(!outcome.errors.contains("Fatal error"))
        }
    }

    @Test("doctor looks at a fresh folder and at a used one, and fails where another server is")
    func doctor() async throws {
        try await withCopies(1, of: .sqlite) { servers in
            let server = servers[0]
            let fresh = try await Program.run(["doctor", "--data-dir", server.data])
            #expect(fresh.exit == .code(0), "\(fresh.output)")
            #expect(fresh.output.contains("there is none yet"))
            #expect(fresh.output.contains("at step 0"))

            try await server.start()
            let shop = try await Shop.open(server)
            _ = try await shop.deliver(shop.orderEvent("o-1"))
            let beside = try await Program.run(["doctor", "--data-dir", server.data])
            #expect(beside.exit == .code(1))
            #expect(beside.output.contains("another server"))
            await server.stop()

            let used = try await Program.run(["doctor", "--data-dir", server.data])
            #expect(used.exit == .code(0), "\(used.output)")
            #expect(used.output.contains("synchronous=2"))
            #expect(used.output.contains("workflows dead: 0"))
            #expect(!used.output.contains("FAIL"))
        }
    }

    @Test("migrate runs the steps once and then finds nothing to do", arguments: TestEngine.allCases)
    func migrate(_ engine: TestEngine) async throws {
        try await withCopies(1, of: engine) { servers in
            let words = ["migrate"] + servers[0].storeFlags
            let first = try await Program.run(words)
            #expect(first.exit == .code(0), "\(first.errors)")
            #expect(first.output.hasPrefix("ran steps 1, 2"))
            let second = try await Program.run(words)
            #expect(second.exit == .code(0))
            #expect(second.output == "the schema is up to date\n")
            try await servers[0].start()
        }
    }

    @Test("version says the version, whichever way it is asked")
    func version() async throws {
        let command = try await Program.run(["version"])
        let flag = try await Program.run(["--version"])
        #expect(command.exit == .code(0))
        #expect(command.output.hasPrefix("tradewind "))
        #expect(flag.exit == .code(0))
        #expect(command.output == "tradewind " + flag.output)
    }

    @Test("A second server on the same folder is refused in plain words, and the first goes on")
    func secondServer() async throws {
        try await withServer(.sqlite) { server in
            let second = try await Self.serve(server.data)
            #expect(second.exit != .code(0))
            #expect(second.errors.contains("another server"))
            #expect(try await server.caller().get("/readyz").status == 200)
        }
    }

    @Test("Keys can be read by their owner only")
    func modes() async throws {
        try await withServer(.sqlite) { server in
            for name in ["master.key", "issuer.jwk"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: server.data + "/" + name)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(name)")
            }
            let folder = try FileManager.default.attributesOfItem(atPath: server.data)
            #expect((folder[.posixPermissions] as? NSNumber)?.intValue == 0o700)
        }
    }

    @Test("A taken port is refused in plain words")
    func takenPort() async throws {
        try await withServer(.sqlite) { server in
            try await withTemporaryFolder { folder in
                let words = ["serve", "--data-dir", folder + "/data", "--listen", "127.0.0.1:\(server.port)"]
                let outcome = try await Program.run(words)
                #expect(outcome.exit != .code(0))
                #expect(outcome.errors.lowercased().contains("in use"), "\(outcome.errors)")
            }
        }
    }
}
