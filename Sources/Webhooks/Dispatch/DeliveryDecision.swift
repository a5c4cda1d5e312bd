import Kernel

/// What one HTTP call to an endpoint came to.
package enum AttemptOutcome: Sendable, Equatable {
    /// An answer with this status; `retryAfter` as the endpoint asked for it.
    case answered(status: Int, retryAfter: Duration?)
    case failed(ExchangeError.Class)

    /// The status of the answer, where one came.
    var status: Int? {
        if case .answered(let status, _) = self { status } else { nil }
    }

    /// Why the attempt failed, in the words that rows and answers use; nil for a success. An answer that is no 2xx is
    /// `status`.
    package var errorClass: String? {
        switch self {
        case .answered(let status, _): (200..<300).contains(status) ? nil : "status"
        case .failed(let errorClass): errorClass.rawValue
        }
    }
}

/// What becomes of a delivery after an attempt. Pure: the same outcome at the same time gives the same decision.
package enum DeliveryDecision: Sendable, Equatable {
    case delivered
    case retry(at: Timestamp)
    /// No attempt is left; the reason is kept with the delivery.
    case failed(reason: String)
    /// The endpoint says that it is gone for good (410): its subscription is disabled at once.
    case gone

    /// How it moves the delivery.
    var move: DeliveryState.Move {
        switch self {
        case .delivered: .succeeded
        case .retry: .putOff
        case .failed: .exhausted
        case .gone: .gone
        }
    }

    /// - Parameters:
    ///   - attempts: attempts made so far, the judged one included.
    ///   - jitter: at least 0, below 1.
    package static func after(
        _ outcome: AttemptOutcome, attempts: Int, createdAt: Timestamp, now: Timestamp, schedule: RetrySchedule,
        jitter: Double
    ) -> DeliveryDecision {
        var retryAfter: Duration?
        switch outcome {
        case .answered(let status, _) where (200..<300).contains(status): return .delivered
        case .answered(410, _): return .gone
        case .answered(let status, let asked) where status == 429 || status == 503: retryAfter = asked
        case .answered, .failed: break
        }
        let due = schedule.nextAttempt(
            afterAttempts: attempts, createdAt: createdAt, now: now, retryAfter: retryAfter, jitter: jitter)
        return due.map { .retry(at: $0) } ?? .failed(reason: "no attempt succeeded within the retry window")
    }
}
