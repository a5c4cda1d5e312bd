import Kernel
import NIOCore

/// Whether a host may be connected to, or why not.
typealias HostVerdict = Result<Void, ExchangeError>

/// What is known about the hosts that were resolved lately, and who waits for those that are being resolved.
///
/// Pure: the shell resolves, tells the time and wakes the waiters.
struct VerdictCache<Waiter: Sendable>: Sendable {
    enum Lookup {
        case known(HostVerdict)
        /// Someone else resolves the host already; the waiter is woken with the verdict.
        case joined
        /// The asker is to resolve the host and to settle it.
        case resolve
    }

    private enum Entry {
        case resolving([Waiter])
        case known(HostVerdict, until: NIODeadline)
    }

    /// Long enough that resolving doesn't cost per request, short enough that a moved host is followed.
    static var goodLifetime: TimeAmount { .seconds(5) }
    /// A failure is forgotten sooner: retries come seconds later and must ask anew.
    static var badLifetime: TimeAmount { .seconds(1) }
    /// Hosts remembered at once. Past it all that are settled are forgotten, which costs one resolution each.
    static var hostsLimit: Int { 4096 }

    private var entries: [String: Entry] = [:]

    /// A verdict that still holds.
    func verdict(on host: String, now: NIODeadline) -> HostVerdict? {
        guard case .known(let verdict, let until) = entries[host], now < until else { return nil }
        return verdict
    }

    /// Takes the waiter in, unless the verdict is known by now.
    mutating func lookUp(_ host: String, waiter: Waiter, now: NIODeadline) -> Lookup {
        switch entries[host] {
        case .known(let verdict, let until) where now < until:
            return .known(verdict)
        case .resolving(var waiters):
            waiters.append(waiter)
            entries[host] = .resolving(waiters)
            return .joined
        case .known, nil:
            if entries.count >= Self.hostsLimit { forgetSettled() }
            entries[host] = .resolving([waiter])
            return .resolve
        }
    }

    /// Keeps the verdict and gives back those who waited for it.
    mutating func settle(_ host: String, _ verdict: HostVerdict, now: NIODeadline) -> [Waiter] {
        var waiters: [Waiter] = []
        if case .resolving(let found) = entries[host] { waiters = found }
        let lifetime = if case .success = verdict { Self.goodLifetime } else { Self.badLifetime }
        entries[host] = .known(verdict, until: now + lifetime)
        return waiters
    }

    private mutating func forgetSettled() {
        entries = entries.filter { if case .resolving = $0.value { true } else { false } }
    }
}
