import Events
import Kernel
import TestSupport

@testable import Webhooks

/// A second account of how one endpoint is: what its attempts came to, whether it had to be given up, and what had to
/// be told of it.
///
/// Transactions come one at a time, so that whatever the engine counts is known here to the attempt.
struct HealthLedger {
    /// When a subscription is given up, written down here a second time on purpose.
    struct Terms {
        /// Per cent of failures that have to be passed.
        var threshold = 95
        var leastAttempts = 10
        var hours = 24

        /// Those of a seed. Often nobody is given up, or no delivery would be tried for three days.
        static func drawn(isCalm: Bool, _ random: inout SeededRandom) -> Terms {
            func draw(_ bound: UInt64) -> Int { Int(random.next(upperBound: bound)) }
            switch draw(3) {
            case 1 where !isCalm: return Terms()
            case 2 where !isCalm:
                return Terms(threshold: 40 + draw(50), leastAttempts: 3 + draw(20), hours: 1 + draw(30))
            default: return Terms(threshold: 100)
            }
        }

        /// The same as a tenant would set it.
        var json: String {
            #"{"failure_threshold": \#(threshold), "min_deliveries_for_disable": \#(leastAttempts), "#
                + #""failure_window": \#(hours)}"#
        }
    }

    private let terms: Terms
    /// Whether openings of its breaker are told of. Those are not that come of telling.
    private let isTold: Bool
    private(set) var isActive = true
    private var isKnownToFail = false
    private var counts: [(minute: Int64, attempts: Int, failures: Int)] = []

    init(_ terms: Terms, isTold: Bool) {
        self.terms = terms
        self.isTold = isTold
    }

    /// Follows what one transaction did; returns what is wrong with it.
    mutating func follow(_ changes: [TransactionNotes.Change], at now: Timestamp) -> [String] {
        let attempts = changes.compactMap { if case .attempted(let isFailure, _, _) = $0 { isFailure } else { nil } }
        let isGone = changes.contains { if case .attempted(_, true, _) = $0 { true } else { false } }
        var found = attempts.isEmpty ? [] : judge(attempts, isGone: isGone, changes, at: now)
        var (expected, told): ([String], [String]) = ([], [])
        for change in changes {
            switch change {
            case .attempted: break
            case .told(let type): told.append(type)
            case .breakerOpened:
                if isTold, !isKnownToFail {
                    expected.append(WebhookFailing.name)
                    isKnownToFail = true
                }
            case .breakerClosed:
                if isKnownToFail { expected.append(WebhookRecovered.name) }
                isKnownToFail = false
            case .status(let isActive, let isCallers):
                if !isActive, !isCallers, self.isActive {
                    if !isGone, !isKnownToFail { expected.append(WebhookFailing.name) }
                    expected.append(WebhookDisabled.name)
                }
                if !isActive, !isCallers, attempts.isEmpty { found.append("given up without an attempt") }
                if isActive { counts = [] } else { isKnownToFail = false }
                self.isActive = isActive
            }
        }
        if told != expected { found.append("\(told) was told, not \(expected)") }
        return found
    }

    private mutating func judge(
        _ attempts: [Bool], isGone: Bool, _ changes: [TransactionNotes.Change], at now: Timestamp
    ) -> [String] {
        var found: [String] = []
        let hadRow = changes.contains { if case .attempted(_, _, false) = $0 { true } else { false } }
        if !isActive, hadRow { found.append("an attempt of a disabled subscription is written") }
        let minute = now.milliseconds / 60_000
        counts.append((minute, attempts.count, attempts.count { $0 }))
        counts.removeAll { $0.minute <= minute - Int64(60 * terms.hours) }
        let (all, failed) = counts.reduce((0, 0)) { ($0.0 + $1.attempts, $0.1 + $1.failures) }
        let isPast = all >= terms.leastAttempts && failed * 100 > terms.threshold * all
        let mustEnd = isActive && attempts.contains(true) && (isPast || isGone)
        let ends = changes.contains { if case .status(false, _) = $0 { true } else { false } }
        if ends, !mustEnd { found.append("given up with \(failed) of \(all) attempts failed") }
        if mustEnd, !ends { found.append("not given up with \(failed) of \(all) attempts failed, gone: \(isGone)") }
        return found
    }
}
