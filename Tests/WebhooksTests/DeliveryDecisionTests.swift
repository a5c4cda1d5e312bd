import Kernel
import Testing

@testable import Webhooks

@Suite("When a delivery is tried again")
struct DeliveryDecisionTests {
    private static let created = Timestamp(milliseconds: 1_735_689_600_000)
    private static let schedule = RetrySchedule.seventyTwoHours

    private func decide(
        _ outcome: AttemptOutcome, attempts: Int = 1, after: Duration = .zero, jitter: Double = 0
    ) -> DeliveryDecision {
        DeliveryDecision.after(
            outcome, attempts: attempts, createdAt: Self.created, now: Self.created + after, schedule: Self.schedule,
            jitter: jitter)
    }

    @Test(
        "synq: the waits grow threefold from five seconds to six hours",
        arguments: [
            (1, 5), (2, 15), (3, 45), (4, 135), (5, 405), (6, 1215), (7, 3645), (8, 10_935), (9, 21_600),
            (10, 21_600), (20, 21_600), (1_000_000, 21_600),
        ])
    func waits(attempts: Int, seconds: Int) {
        #expect(Self.schedule.wait(afterAttempts: attempts) == .seconds(seconds))
    }

    @Test("synq: twenty attempts are made at most, the last of them in the last six hours of 72 h")
    func window() {
        for (jitter, expected) in [(0.0, 20), (0.999, 18)] {
            var (now, attempts) = (Self.created, 1)
            while let due = Self.schedule.nextAttempt(
                afterAttempts: attempts, createdAt: Self.created, now: now, retryAfter: nil, jitter: jitter)
            {
                #expect(due > now && due <= Self.created + .seconds(72 * 3600))
                (now, attempts) = (due, attempts + 1)
            }
            #expect(attempts == expected)
            #expect(now > Self.created + .seconds((72 - 8) * 3600))
        }
    }

    @Test("Jitter is never early: it adds up to a fifth", arguments: 1...20, [0.0, 0.2, 0.5, 0.999_999])
    func jitter(attempts: Int, jitter: Double) throws {
        let base = Self.schedule.wait(afterAttempts: attempts)
        let due = try #require(
            Self.schedule.nextAttempt(
                afterAttempts: attempts, createdAt: Self.created, now: Self.created, retryAfter: nil, jitter: jitter))
        #expect(due >= Self.created + base && due <= Self.created + base + base / 5)
    }

    @Test(
        "Retry-After on 429 and 503 moves an attempt later, never earlier, and no further than the longest wait",
        arguments: [(0, 5), (3, 5), (5, 5), (60, 60), (21_600, 21_600), (30 * 86_400, 21_600)])
    func retryAfter(asked: Int, seconds: Int) {
        for status in [429, 503] {
            #expect(
                decide(.answered(status: status, retryAfter: .seconds(asked)))
                    == .retry(at: Self.created + .seconds(seconds)))
        }
        #expect(
            decide(.answered(status: 500, retryAfter: .seconds(asked))) == .retry(at: Self.created + .seconds(5)))
    }

    @Test("2xx is a success", arguments: [200, 201, 202, 204, 226, 299])
    func success(status: Int) {
        #expect(decide(.answered(status: status, retryAfter: .seconds(60)), attempts: 20) == .delivered)
    }

    @Test(
        "3xx and every other answer fails and is tried again",
        arguments: [100, 199, 300, 301, 302, 307, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504, 599])
    func failure(status: Int) {
        #expect(decide(.answered(status: status, retryAfter: nil)) == .retry(at: Self.created + .seconds(5)))
    }

    @Test("410 ends it at once, however early or late", arguments: [1, 5, 20])
    func gone(attempts: Int) {
        #expect(decide(.answered(status: 410, retryAfter: .seconds(5)), attempts: attempts) == .gone)
    }

    @Test(
        "Timeout, DNS, TLS, refused address: every failure to get an answer is tried again",
        arguments: [ExchangeError.Class.dns, .connect, .tls, .timeout, .refusedAddress, .body])
    func unanswered(errorClass: ExchangeError.Class) {
        #expect(decide(.failed(errorClass), attempts: 2) == .retry(at: Self.created + .seconds(15)))
    }

    @Test("synq: an attempt that would come after 72 h is not made, it has failed")
    func end() {
        let last = Duration.seconds(72 * 3600 - 5)
        #expect(
            decide(.failed(.timeout), after: last) == .retry(at: Self.created + .seconds(72 * 3600)))
        for outcome in [AttemptOutcome.failed(.timeout), .answered(status: 500, retryAfter: nil)] {
            guard case .failed(let reason) = decide(outcome, after: last + .milliseconds(1)) else {
                Issue.record("tried again after the end")
                continue
            }
            #expect(!reason.isEmpty)
        }
        guard case .failed = decide(.answered(status: 503, retryAfter: .seconds(60)), after: last) else {
            Issue.record("Retry-After went beyond the end")
            return
        }
    }

    @Test(
        "Retry-After is read as seconds or as a date",
        arguments: [
            ("120", 120), ("0", 0), ("99999999999999999999999", 30 * 86_400), ("-5", nil), ("+5", nil), ("1.5", nil),
            ("", nil), ("soon", nil), ("Wed, 01 Jan 2025 00:02:00 GMT", 120), ("Tue, 31 Dec 2024 23:00:00 GMT", 0),
        ] as [(String, Int?)])
    func header(value: String, seconds: Int?) {
        #expect(HTTPDate.retryAfter(value, now: Self.created) == seconds.map { .seconds($0) })
    }

    @Test(
        "Dates of HTTP are read, and nothing that merely looks like one",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"),
            ("Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59.000Z"),
            ("Fri, 29 Feb 2023 23:59:59 GMT", nil), ("Sun, 06 Nov 1994 08:49:37 UTC", nil),
            ("Sun, 06 Nov 1994 08:49:37", nil), ("Sun, 6 Nov 1994 08:49:37 GMT", nil),
            ("Sun, 06 nov 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 94 08:49:37 GMT", nil),
            ("Sun, 06 Nov 1994 24:00:00 GMT", nil), ("1994-11-06T08:49:37Z", nil), ("", nil),
        ] as [(String, String?)])
    func dates(text: String, expected: String?) {
        #expect(HTTPDate.parse(text)?.description == expected)
    }
}
