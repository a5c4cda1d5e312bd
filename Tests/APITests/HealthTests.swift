import HTTPTypes
import Hummingbird
import Kernel
import Metrics
import NIOCore
import Storage
import TestSupport
import Testing

@testable import API

@Suite struct HealthTests {
    @Test("The server is alive and ready, and says so to anyone", arguments: TestEngine.allCases)
    func ready(_ engine: TestEngine) async throws {
        try await withAPI(engine) { api in
            let alive = try await api.send(.get, "/healthz")
            let ready = try await api.send(.get, "/readyz")
            let head = try await api.send(.head, "/healthz")

            #expect(alive.json["status"] == .string("ok"))
            #expect(ready.json["status"] == .string("ready"))
            #expect(head.status == 200)
        }
    }

    @Test("Readiness commits once a second at the most, however many ask")
    func memory() async throws {
        try await withAPI { api in
            func commits() async throws -> Int64? {
                try await api.database.read { transaction in
                    try transaction.first("SELECT value FROM revision WHERE name = 'readiness'") { $0.int(0) }
                }
            }
            for _ in 0..<5 { _ = try await api.send(.get, "/readyz") }
            #expect(try await commits() == 1)

            api.time.advance(by: .seconds(1))
            _ = try await api.send(.get, "/readyz")

            #expect(try await commits() == 2)
        }
    }

    @Test("A store that is gone or does not answer is not ready, while the server stays alive")
    func notReady() async throws {
        try await withAPI { api in
            await api.database.shutdown()

            let answer = try await api.send(.get, "/readyz")

            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] != nil)
            #expect(try await api.send(.get, "/healthz").status == 200)
        }
        let probe = ReadinessProbe(database: SilentDatabase(), timeout: .milliseconds(1))
        #expect(await probe.fault()?.hasPrefix("no commit within") == true)
    }

    /// Takes work and never does it, as a disk that hangs.
    private final class SilentDatabase: Database {
        let dialect = Dialect.sqlite
        let statementCount = 0
        func enqueue(_ work: Work) {}
        func report() async throws -> EngineReport {
            EngineReport(engine: "silent", version: "", settings: [], warnings: [])
        }
        func shutdown() async {}
    }

    @Test("The figures count answers by route pattern and status class, never by the path that was asked for")
    func figures() async throws {
        try await withAPI { api in
            let known = try api.headers()
            _ = try await api.send(.get, "/api/v1/api-keys?limit=2", known)
            _ = try await api.send(.delete, "/api/v1/api-keys/0190a000-0000-7000-8000-0000000000ff", known)
            _ = try await api.send(.get, "/private-path")

            let page = try await api.send(.get, "/metrics")

            #expect(page.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
            let count = "tradewind_http_requests_total"
            #expect(page.text.contains("# TYPE \(count) counter\n"))
            #expect(page.text.contains("\(count){route=\"/api/v1/api-keys\",method=\"GET\",status=\"2xx\"} 1\n"))
            let delete = "route=\"/api/v1/api-keys/{id}\",method=\"DELETE\",status=\"4xx\""
            #expect(page.text.contains("\(count){\(delete)} 1\n"))
            #expect(page.text.contains("# TYPE tradewind_http_request_seconds histogram\n"))
            #expect(!page.text.contains("private-path"))
        }
    }

    @Test("The figures are for admins where the operator says so")
    func closedFigures() async throws {
        var settings = APISettings()
        settings.metricsArePublic = false
        try await withAPI(settings: settings) { api in
            let admin = try api.headers()
            let member = try api.headers(APIHarness.principal(.member))

            #expect(try await api.send(.get, "/metrics").status == 401)
            #expect(try await api.send(.get, "/metrics", member).status == 403)
            #expect(try await api.send(.get, "/metrics", admin).status == 200)
        }
    }
}

@Suite struct PrometheusTests {
    @Test("Counters, gauges, asked values and histograms are written as the text format wants them")
    func format() {
        let registry = PrometheusRegistry()
        Counter(label: "hits.total", dimensions: [("path", "a\"b\\c\nd")], factory: registry).increment(by: 3)
        Meter(label: "9lives", factory: registry).set(1.5)
        registry.gauge("waiting") { 7 }
        let timer = Metrics.Timer(label: "took", factory: registry)
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(20_000_000_000)

        let lines = registry.text().split(separator: "\n").map(String.init)

        #expect(lines.contains("# TYPE hits_total counter"))
        #expect(lines.contains("hits_total{path=\"a\\\"b\\\\c\\nd\"} 3"))
        #expect(lines.contains("_9lives 1.5"))
        #expect(lines.contains("waiting 7"))
        #expect(lines.contains("took_bucket{le=\"0.001\"} 0"))
        #expect(lines.contains("took_bucket{le=\"0.0025\"} 1"))
        #expect(lines.contains("took_bucket{le=\"10\"} 1"))
        #expect(lines.contains("took_bucket{le=\"+Inf\"} 2"))
        #expect(lines.contains("took_sum 20.002"))
        #expect(lines.contains("took_count 2"))
    }

    @Test("The same name and labels are one series; beyond the limit all share one more")
    func bounded() {
        let registry = PrometheusRegistry(seriesLimit: 10)
        for index in 0..<100 {
            for _ in 0..<2 {
                Counter(label: "c", dimensions: [("n", "\(index)")], factory: registry).increment()
            }
        }

        let lines = registry.text().split(separator: "\n")

        #expect(lines.count == 1 + 10 + 1)
        #expect(lines.contains("c{n=\"3\"} 2"))
        #expect(lines.contains("c{overflow=\"true\"} 180"))
    }
}
