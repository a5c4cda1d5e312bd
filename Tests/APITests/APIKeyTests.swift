import API
import Hummingbird
import Kernel
import Storage
import TestSupport
import Testing

@Suite struct APIKeyTests {
    private static let route = "/api/v1/api-keys"

    @Test(
        "A key is shown once, kept as a digest, works within its role, and ends when it is revoked",
        arguments: TestEngine.allCases)
    func life(_ engine: TestEngine) async throws {
        try await withAPI(engine) { api in
            let made = try await api.send(
                .post, Self.route, try api.headers(), body: "{\"label\":\"till\",\"role\":\"admin\"}")
            #expect(made.status == 201)
            let text = try #require(made.json["key"]?.string)
            let id = try #require(made.json["id"]?.string)
            #expect(text.hasPrefix("tw_"))
            #expect(text.utf8.count == 46)

            let headers = APIHarness.headers(bearer: text)
            let listed = try await api.send(.get, Self.route, headers)
            #expect(listed.status == 200)
            #expect(listed.json["data"]?.array?.first?["label"] == .string("till"))
            #expect(!listed.text.contains(text))
            let stored = try await api.database.read { transaction in
                try transaction.first("SELECT digest FROM api_key") { $0.bytes(0) }
            }
            #expect(stored == CredentialKey(hashing: text).bytes)

            #expect(try await api.send(.delete, "\(Self.route)/\(id)", headers).status == 204)
            #expect(try await api.send(.get, Self.route, headers).status == 401)
            let known = try api.headers()
            #expect(try await api.send(.delete, "\(Self.route)/\(id)", known).status == 204)
        }
    }

    @Test("A key of a lower role is held to it, and to its own tenant")
    func scope() async throws {
        try await withAPI { api in
            let (_, key) = try await api.dependencies.keys.create(APIHarness.principal(.member), label: "k")
            let text = key.revealText(for: "test")
            var other = APIHarness.headers(bearer: text)
            other[.tenantID] = "0190a000-0000-7000-8000-0000000000ff"

            #expect(try await api.send(.get, Self.route, APIHarness.headers(bearer: text)).status == 403)
            #expect(try await api.send(.get, Self.route, other).status == 403)
        }
    }

    @Test("A revocation by another copy of the server holds here within a second")
    func otherCopy() async throws {
        try await withAPI { api in
            let (key, text) = try await api.dependencies.keys.create(APIHarness.principal(), label: "k")
            let headers = APIHarness.headers(bearer: text.revealText(for: "test"))
            #expect(try await api.send(.get, Self.route, headers).status == 200)

            let other = APIKeyStore(database: api.database, time: api.time.source)
            #expect(try await other.revoke(key.id, in: APIHarness.principal().scope))
            api.time.advance(by: .seconds(1))

            #expect(try await api.send(.get, Self.route, headers).status == 401)
        }
    }

    @Test("Another tenant's key is not there: not in the list, and not to be revoked")
    func isolation() async throws {
        try await withAPI { api in
            let other = APIHarness.principal(tenant: TenantID(high: 5, low: 5))
            let (key, _) = try await api.dependencies.keys.create(other, label: "theirs")

            let listed = try await api.send(.get, Self.route, try api.headers())
            let revoked = try await api.send(.delete, "\(Self.route)/\(key.id)", try api.headers())

            #expect(listed.json["data"] == .array([]))
            #expect(revoked.status == 404)
            let known = try api.headers(other)
            #expect(try await api.send(.get, Self.route, known).json["data"]?.array?.count == 1)
        }
    }

    @Test("Keys are listed page by page, none twice and none left out", arguments: TestEngine.allCases)
    func pages(_ engine: TestEngine) async throws {
        try await withAPI(engine) { api in
            for index in 0..<5 {
                _ = try await api.dependencies.keys.create(APIHarness.principal(), label: "key \(index)")
            }
            var labels: [String] = []
            var cursor: String?
            repeat {
                let query = cursor.map { "&cursor=\($0)" } ?? ""
                let page = try await api.send(.get, "\(Self.route)?limit=2\(query)", try api.headers())
                labels += page.json["data"]?.array?.compactMap { $0["label"]?.string } ?? []
                cursor = page.json["next_cursor"]?.string
            } while cursor != nil

            #expect(labels == (0..<5).map { "key \($0)" })
        }
    }

    @Test(
        "A list's query that cannot be meant is refused with the parameter's name",
        arguments: ["limit=0", "limit=101", "limit=x", "cursor=abc"])
    func query(_ text: String) async throws {
        try await withAPI { api in
            let answer = try await api.send(.get, "\(Self.route)?\(text)", try api.headers())

            #expect(answer.status == 422)
            let name = try #require(text.split(separator: "=").first)
            #expect(answer.json["errors"]?.array?.first?["pointer"] == .string("/\(name)"))
        }
    }

    @Test(
        "A key that is asked for wrongly is refused with the field's name",
        arguments: [
            ("{}", "/label"), ("{\"label\":\"  \",\"role\":\"admin\"}", "/label"), ("{\"label\":\"x\"}", "/role"),
            ("{\"label\":\"x\",\"role\":\"root\"}", "/role"),
            ("{\"label\":\"x\",\"role\":\"admin\",\"user_id\":\"me\"}", "/user_id"),
            ("{\"label\":\"x\",\"role\":\"admin\",\"tenant_id\":\"t\"}", "/tenant_id"), ("[]", ""),
        ])
    func invalid(_ body: String, _ pointer: String) async throws {
        try await withAPI { api in
            let answer = try await api.send(.post, Self.route, try api.headers(), body: body)

            #expect(answer.status == 422)
            #expect(answer.json["errors"]?.array?.contains { $0["pointer"] == .string(pointer) } == true)
        }
    }

    @Test(
        "An id that is none is answered like one that is unknown",
        arguments: ["abc", "0190a000-0000-7000-8000-0000000000ff"])
    func unknown(_ id: String) async throws {
        try await withAPI { api in
            let known = try api.headers()
            #expect(try await api.send(.delete, "\(Self.route)/\(id)", known).status == 404)
        }
    }
}
