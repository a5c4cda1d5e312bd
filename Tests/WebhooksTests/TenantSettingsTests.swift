import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("What a tenant sets for all its subscriptions")
struct TenantSettingsTests {
    private static func change(_ body: String) throws -> TenantSettingsChange {
        try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { TenantSettingsChange($0) }
    }

    @Test("Nothing set means seed 003's table; a change keeps what it does not name", arguments: TestEngine.allCases)
    func change(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let service = hub.subscriptions
            let tenant = Hub.scope.tenant
            let first = try await service.settings(of: tenant)
            #expect(first.retentionDays == 30 && first.maxSubscriptions == 25 && first.maxRetryAttempts == 5)
            #expect(first.backoffSchedule == [0, 1, 5, 30, 120] && first.failureThreshold == 95)
            #expect(first.failureWindow == 24 && first.minDeliveriesForDisable == 10)
            let body = #"{"retention_days": 7, "backoff_schedule": [0, 2], "max_subscriptions": 1}"#
            _ = try await service.changeSettings(try Self.change(body), of: tenant)
            let second = try await service.changeSettings(try Self.change(#"{"failure_threshold": 50}"#), of: tenant)
            #expect(second.retentionDays == 7 && second.backoffSchedule == [0, 2] && second.failureThreshold == 50)
            #expect(try await service.settings(of: tenant) == second)
            #expect(try await service.settings(of: Hub.stranger.tenant) == TenantSettings())
        }
    }

    @Test("max_subscriptions, max_retry_attempts: what is set is kept to at once", arguments: TestEngine.allCases)
    func inForce(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let service = hub.subscriptions
            let (made, _) = try await hub.subscribe(more: #", "profile": "synthesq""#)
            let tenant = Hub.scope.tenant
            #expect(try await hub.directory.endpoint(made.id, tenant: tenant)?.schedule.attempts == 5)
            let body = #"{"max_subscriptions": 1, "max_retry_attempts": 2}"#
            _ = try await service.changeSettings(try Self.change(body), of: tenant)
            #expect(try await hub.directory.endpoint(made.id, tenant: tenant)?.schedule.attempts == 2)
            await #expect {
                _ = try await hub.subscribe()
            } throws: { error in
                (error as? Refusal)?.fields == [Refusal.Field("max_subscriptions", .number("1"))]
            }
        }
    }

    @Test(
        "Each setting has its bounds",
        arguments: [
            (#"{"retention_days": 0}"#, "/retention_days"), (#"{"retention_days": 366}"#, "/retention_days"),
            (#"{"max_subscriptions": 101}"#, "/max_subscriptions"),
            (#"{"max_retry_attempts": 21}"#, "/max_retry_attempts"),
            (#"{"backoff_schedule": []}"#, "/backoff_schedule"), (#"{"backoff_schedule": [1]}"#, "/backoff_schedule/0"),
            (#"{"backoff_schedule": [0, 1441]}"#, "/backoff_schedule/1"),
            (#"{"backoff_schedule": [0, "5"]}"#, "/backoff_schedule/1"),
            (#"{"failure_threshold": 0}"#, "/failure_threshold"),
            (#"{"failure_threshold": 101}"#, "/failure_threshold"),
            (#"{"failure_window": 169}"#, "/failure_window"), (#"{"failure_window": "24 h"}"#, "/failure_window"),
            (#"{"min_deliveries_for_disable": 0}"#, "/min_deliveries_for_disable"), (#"{"colour": 1}"#, "/colour"),
        ])
    func bounds(body: String, pointer: String) throws {
        do {
            _ = try Self.change(body)
            Issue.record("taken")
        } catch let error as InvalidDocument {
            #expect(error.faults.map(\.pointer) == [pointer])
        }
    }
}
