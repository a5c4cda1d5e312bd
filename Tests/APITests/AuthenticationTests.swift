import HTTPTypes
import Hummingbird
import Kernel
import Logging
import Storage
import TestSupport
import Testing

@testable import API

@Suite struct AuthenticationTests {
    private static let route = "/api/v1/api-keys"

    @Test(
        "A missing or bad bearer is 401 with a challenge",
        arguments: [
            nil, "", "Basic dTpw", "Bearer", "Bearer ", "Bearer a b", "Bearer x.y.z", "Token abc", "Bearer tw_short",
        ])
    func bearer(_ field: String?) async throws {
        try await withAPI { api in
            var headers = try api.headers()
            headers[.authorization] = field

            let answer = try await api.send(.get, Self.route, headers)

            #expect(answer.status == 401)
            #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
            #expect(answer.headers[.contentType] == "application/problem+json")
        }
    }

    @Test(
        "A missing or malformed tenant or organisation header is 400 and named",
        arguments: ["X-Tenant-ID", "X-Org-ID"])
    func headers(_ text: String) async throws {
        let name = try #require(HTTPField.Name(text))
        try await withAPI { api in
            for value in [nil, "", "acme", APIHarness.tenant.ulid] {
                var headers = try api.headers()
                headers[name] = value

                let answer = try await api.send(.get, Self.route, headers)

                #expect(answer.status == 400)
                #expect(answer.sentence?.contains(text) == true)
            }
        }
    }

    @Test("Headers that are not the token's are 403, whichever of the two")
    func otherTenant() async throws {
        try await withAPI { api in
            for name in [HTTPField.Name.tenantID, .organisationID] {
                var headers = try api.headers()
                headers[name] = "0190a000-0000-7000-8000-0000000000ff"

                #expect(try await api.send(.get, Self.route, headers).status == 403)
            }
        }
    }

    @Test("Header names and the scheme's name are taken in any case, ids in either")
    func cases() async throws {
        try await withAPI { api in
            let names = try ["AUTHORIZATION", "x-TENANT-id", "X-ORG-id"].map { try #require(HTTPField.Name($0)) }
            let headers: HTTPFields = [
                names[0]: "bEARER \(try api.token())", names[1]: APIHarness.tenant.description.uppercased(),
                names[2]: APIHarness.organisation.description,
            ]

            #expect(try await api.send(.get, Self.route, headers).status == 200)
        }
    }

    @Test("A role that is too low is 403 and told what is needed", arguments: [Role.viewer, .member])
    func roles(_ role: Role) async throws {
        try await withAPI { api in
            let answer = try await api.send(.get, Self.route, try api.headers(APIHarness.principal(role)))

            #expect(answer.status == 403)
            #expect(answer.sentence?.contains("admin") == true)
        }
    }

    @Test("A token that worked ends at its expiry, also when it is remembered")
    func expiry() async throws {
        try await withAPI { api in
            let headers = APIHarness.headers(bearer: try api.token(ttl: .seconds(60)))
            #expect(try await api.send(.get, Self.route, headers).status == 200)
            api.time.advance(by: .seconds(89))
            #expect(try await api.send(.get, Self.route, headers).status == 200)

            api.time.advance(by: .seconds(2))

            #expect(try await api.send(.get, Self.route, headers).status == 401)
        }
    }

    @Test("The first valid token of a pair makes its rows, refused ones make none", arguments: TestEngine.allCases)
    func rows(_ engine: TestEngine) async throws {
        try await withAPI(engine) { api in
            func counts() async throws -> [Int64] {
                try await api.database.read { transaction in
                    try transaction.all(
                        "SELECT count(*) FROM tenant UNION ALL SELECT count(*) FROM organisation"
                    ) { $0.int(0) }
                }
            }
            var refused = try api.headers()
            refused[.organisationID] = "0190a000-0000-7000-8000-0000000000ff"
            _ = try await api.send(.get, Self.route, refused)
            #expect(try await counts() == [0, 0])

            for _ in 0..<2 { _ = try await api.send(.get, Self.route, try api.headers()) }
            let other = APIHarness.principal(organisation: OrganisationID(high: 1, low: 2))
            _ = try await api.send(.get, Self.route, try api.headers(other))

            #expect(try await counts() == [1, 2])
        }
    }

    @Test("A tenant group without an authenticator before it opens nothing")
    func forgotten() async throws {
        try await withAPI(routes: { router, _ in
            router.group(context: TenantContext.self).get("/test/open") { _, _ in JSONResponse { _ in } }
        }) { api in
            let known = try api.headers()
            #expect(try await api.send(.get, "/test/open", known).status == 401)
        }
    }

    @Test("While the keys of an issuer cannot be had, JWTs are answered 503 and API keys still work")
    func keysAway() async throws {
        struct Away: Error {}
        let time = ManualTime()
        let verifier = TokenVerifier(
            rules: TokenRules(issuer: nil, audience: nil), source: KeySource(name: "away") { throw Away() },
            time: time.source, log: .init(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withAPI(verifier: verifier, time: time) { api in
            let jwt = try await api.send(.get, Self.route, try api.headers())
            let (_, key) = try await api.dependencies.keys.create(APIHarness.principal(), label: "k")
            let headers = APIHarness.headers(bearer: key.revealText(for: "test"))

            #expect(jwt.status == 503)
            #expect(jwt.headers[.retryAfter] != nil)
            #expect(try await api.send(.get, Self.route, headers).status == 200)
        }
    }
}
