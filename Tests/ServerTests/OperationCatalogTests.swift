import API
import DeliveryClient
import HTTPTypes
import Kernel
import Logging
import ProviderClient
import Signing
import Storage
import TestSupport
import Testing

@testable import Server

/// The API's document and the router tell of the same routes.
@Suite struct OperationCatalogTests {
    @Test("Every route is described, and every description has its route")
    func complete() async throws {
        let routes = try await Self.routes()
        let described = Set(OperationCatalog.groups.flatMap(\.operations).map { "\($0.method.rawValue) \($0.path)" })
        #expect(routes.count > 90, "the router itself was cut short")
        for route in routes.subtracting(described).sorted() {
            let words = route.split(separator: " ")
            let call = words[0].lowercased()
            Issue.record(
                """
                \(route) is not described. Add to the group of its noun in Sources/API/Operations/ (a new noun is a \
                file and a line in OperationCatalog.swift):
                    .\(call)("\(words[1])", "anUniqueName", "One sentence.")\
                \(call == "get" || call == "delete" ? "" : ".taking(.request([\"field\": .text]))")\
                \(call == "delete" ? "" : ".answering(200, .object([\"id\": .uuid]))"),
                """)
        }
        for route in described.subtracting(routes).sorted() {
            Issue.record("\(route) is described in Sources/API/Operations/, and the router has no such route")
        }
    }

    @Test("Names of operations are unique")
    func unique() throws {
        let document = try JSONValue(parsing: OpenAPIDocument.json())
        var names: Set<String> = []
        for path in document["paths"]?.object?.members ?? [] {
            for operation in path.value.object?.members ?? [] {
                let name = try #require(operation.value["operationId"]?.string)
                #expect(names.insert(name).inserted, "\(name) stands twice")
            }
        }
        #expect(names.count > 90)
    }

    @Test("Every POST that makes something takes an Idempotency-Key")
    func repeatable() throws {
        let document = try JSONValue(parsing: OpenAPIDocument.json())
        var makers = 0
        for path in document["paths"]?.object?.members ?? [] {
            guard let operation = path.value["post"], operation["responses"]?["201"] != nil else { continue }
            makers += 1
            let names = operation["parameters"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(names.contains("Idempotency-Key"), "POST \(path.name) makes something: add .once()")
        }
        #expect(makers > 15)
    }

    /// Operations that change something and are not on record, each with what tells of it instead.
    private static let unrecorded: [(path: String, reason: String)] = [
        ("/api/v1/pim/products", "the product's events tell of it"),
        ("/api/v1/pim/imports", "the import tells who asked for it, and the products' events what it did"),
        ("/api/v1/crm/customers", "the customer's events tell of it; changing, deleting and erasing are on record"),
        ("/api/v1/oms/orders", "the order's timeline tells of it"),
        ("/api/v1/inventory/levels", "the level shows its own threshold"),
        ("/api/v1/inventory/adjust", "the ledger tells of it"),
        ("/api/v1/inventory/transfers", "the ledger tells of it"),
        ("/api/v1/integrations/connections/{id}/inbox/{entry}/retry", "the inbound log tells of it"),
        ("/api/v1/webhooks/subscriptions/{id}/test", "the delivery tells of it"),
        ("/api/v1/events", "the event is the record, and erasing is on record"),
        ("/api/v1/workflows/{id}/retry", "the workflow tells of it"),
        ("/catalog/", "it only reads"),
        ("/unified/webhook", "a store calls, and the inbound log tells of it"),
        ("/webhooks/{provider}/{connection}", "a store calls, and the inbound log tells of it"),
    ]

    @Test("What changes the installation goes on record, or says what tells of it instead")
    func recorded() {
        var used: Set<String> = []
        for operation in OperationCatalog.groups.flatMap(\.operations) where operation.method != .get {
            let reasons = Self.unrecorded.filter { operation.path.hasPrefix($0.path) }
            if operation.isAudited { continue }
            used.formUnion(reasons.map(\.path))
            #expect(
                !reasons.isEmpty,
                """
                \(operation.method.rawValue) \(operation.path) leaves no record: add .audited(…) to \
                \(operation.id) in Sources/API/Operations/, or a line to `unrecorded` in this test that says what \
                tells of it
                """)
        }
        for line in Self.unrecorded where !used.contains(line.path) {
            Issue.record("\(line.path) is excused for nothing")
        }
    }

    /// What the assembled server mounts, as method and path.
    private static func routes() async throws -> Set<String> {
        try await withTemporaryFolder { folder in
            try await withDatabase(.sqlite) { database in
                let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                let settings = try await SettingsReader.read(
                    flags: [.dataDirectory: folder, .listen: "127.0.0.1:0"], environment: [:], file: nil)
                let server = try ServerBuilder.assemble(settings, database: database, logger: log)
                let issuer = try TokenIssuer.loadOrCreate(directory: folder)
                let master = try #require(MasterKey(Array(repeating: 7, count: MasterKey.byteCount)))
                let dependencies = APIDependencies(
                    settings: APISettings(), database: database,
                    tokens: TokenVerifier(rules: issuer.rules, source: issuer.source, time: .system, log: log),
                    box: SecretBox(master), registry: PrometheusRegistry())
                let routes = mountedRoutes(dependencies, server.services)
                try await server.client.shutdown()
                try await server.deliveryClient.shutdown()
                return routes
            }
        }
    }
}
