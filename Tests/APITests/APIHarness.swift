import API
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Kernel
import Logging
import Signing
import Storage
import TestSupport
import Testing

/// The whole API in memory over a real database, with a clock that stands still and tokens of its own issuer.
struct APIHarness: Sendable {
    let client: any TestClientProtocol
    let database: any Database
    let dependencies: APIDependencies
    let issuer: TokenIssuer
    let time: ManualTime

    static let tenant = TenantID(high: 0x0190_a000_0000_7000, low: 0x8000_0000_0000_0001)
    static let organisation = OrganisationID(high: 0x0190_a000_0000_7000, low: 0x8000_0000_0000_0002)
    static let user = UserID(high: 0x0190_a000_0000_7000, low: 0x8000_0000_0000_0003)

    static func principal(
        _ role: Role = .admin, tenant: TenantID = tenant, organisation: OrganisationID = organisation,
        user: UserID = user
    ) -> Principal {
        Principal(tenant: tenant, organisation: organisation, user: user, role: role)
    }

    func token(_ principal: Principal = principal(), ttl: Duration = .seconds(3600)) throws -> String {
        try issuer.mint(principal, ttl: ttl, now: time.now)
    }

    /// The three headers of a principal, and more if wanted.
    func headers(_ principal: Principal = principal(), _ more: HTTPFields = [:]) throws -> HTTPFields {
        var headers = APIHarness.headers(bearer: try token(principal), principal)
        headers.append(contentsOf: more)
        return headers
    }

    static func headers(bearer: String, _ principal: Principal = principal()) -> HTTPFields {
        [
            .authorization: "Bearer \(bearer)", .tenantID: principal.tenant.description,
            .organisationID: principal.organisation.description,
        ]
    }

    func send(
        _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields = [:], body: String? = nil
    ) async throws -> TestAnswer {
        let response = try await client.executeRequest(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        return TestAnswer(response)
    }
}

struct TestAnswer: Sendable {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    init(_ response: TestResponse) {
        status = response.status.code
        headers = response.headers
        bytes = Array(response.body.readableBytesView)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// The body as JSON; null when it is none, which no expectation passes for.
    var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
    var sentence: String? { json["error"]?.string }
}

/// Lends an API. `routes` may mount routes of the test's own behind the same middleware.
func withAPI(
    _ engine: TestEngine = .sqlite, settings: APISettings = APISettings(), verifier: TokenVerifier? = nil,
    time: ManualTime = ManualTime(),
    routes: @Sendable (Router<AppContext>, APIDependencies) -> Void = { _, _ in },
    _ body: @Sendable (APIHarness) async throws -> Void
) async throws {
    try await withTemporaryFolder { folder in
        try await withDatabase(engine, time: time) { database in
            let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let issuer = try TokenIssuer.loadOrCreate(directory: folder)
            let own = TokenVerifier(rules: issuer.rules, source: issuer.source, time: time.source, log: log)
            let master = try #require(MasterKey(Array(repeating: 7, count: MasterKey.byteCount)))
            let dependencies = APIDependencies(
                settings: settings, database: database, tokens: verifier ?? own, box: SecretBox(master),
                registry: PrometheusRegistry(), time: time.source)
            let router = buildRouter(dependencies)
            routes(router, dependencies)
            let app = Application(router: router, logger: log)
            try await app.test(.router) { client in
                try await body(
                    APIHarness(
                        client: client, database: database, dependencies: dependencies, issuer: issuer, time: time))
            }
        }
    }
}
