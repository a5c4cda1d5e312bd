import Kernel
import Testing

@testable import Webhooks

@Suite("The judgement of an endpoint by its last hours")
struct EndpointHealthTests {
    @Test(
        "failure_threshold: over 95 per cent of at least ten attempts is too much",
        arguments: [
            (9, 9, false), (10, 10, true), (10, 9, false), (20, 19, false), (21, 20, true), (100, 95, false),
            (100, 96, true), (1000, 950, false), (1000, 951, true), (0, 0, false), (10, 0, false),
        ] as [(Int64, Int64, Bool)])
    func standard(attempts: Int64, failures: Int64, isPast: Bool) {
        let health = EndpointHealth(attempts: attempts, failures: failures, lastSuccessAt: nil)
        #expect(health.isPast(TenantSettings()) == isPast)
    }

    @Test("failure_threshold, min_deliveries_for_disable: a tenant's own count, and 100 is never passed")
    func own() {
        var settings = TenantSettings()
        settings.failureThreshold = 50
        settings.minDeliveriesForDisable = 3
        #expect(EndpointHealth(attempts: 3, failures: 2, lastSuccessAt: nil).isPast(settings))
        #expect(!EndpointHealth(attempts: 4, failures: 2, lastSuccessAt: nil).isPast(settings))
        #expect(!EndpointHealth(attempts: 2, failures: 2, lastSuccessAt: nil).isPast(settings))
        settings.failureThreshold = 100
        #expect(!EndpointHealth(attempts: 500, failures: 500, lastSuccessAt: nil).isPast(settings))
    }

    @Test("Each attempt is counted once, and the latest success is remembered")
    func counting() {
        var health = EndpointHealth()
        health.count(isFailure: false, at: Timestamp(milliseconds: 20))
        health.count(isFailure: false, at: Timestamp(milliseconds: 10))
        health.count(isFailure: true, at: Timestamp(milliseconds: 30))
        #expect(
            health == EndpointHealth(attempts: 3, failures: 1, lastSuccessAt: Timestamp(milliseconds: 20)))
        #expect(health.sentence(TenantSettings()) == "1 of 3 attempts failed within 24 hours")
    }
}
