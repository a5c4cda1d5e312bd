import Kernel
import NIOCore

/// The addresses of a name, or why there are none.
typealias AddressAnswer = Result<[IPAddress], ExchangeError>

/// What is known of the names that were resolved lately, and who waits for those that are being resolved. Pure.
struct AddressCache<Waiter: Sendable>: Sendable {
    enum Lookup {
        case known(AddressAnswer)
        /// Someone else resolves the name already; the waiter is handed back with the answer.
        case joined
        /// The asker is to resolve the name and to settle it.
        case resolve
    }

    private enum Entry {
        case resolving([Waiter])
        case known(AddressAnswer, until: NIODeadline)
    }

    /// Long enough that resolving doesn't cost per connection, short enough that a moved host is followed.
    static var goodLifetime: TimeAmount { .seconds(5) }
    /// A failure is forgotten sooner: retries come seconds later and must ask anew.
    static var badLifetime: TimeAmount { .seconds(1) }
    /// Names remembered at once. Past it all that are settled are forgotten, which costs one resolution each.
    static var namesLimit: Int { 4096 }
    /// Names that are being resolved at once; beyond it the resolver is taken for dead.
    static var resolvingLimit: Int { 1024 }

    private var entries: [String: Entry] = [:]
    private var resolvingCount = 0

    /// Takes the waiter in, unless the answer is known by now.
    mutating func lookUp(_ name: String, waiter: Waiter, now: NIODeadline) -> Lookup {
        switch entries[name] {
        case .known(let answer, let until) where now < until:
            return .known(answer)
        case .resolving(var waiters):
            entries[name] = nil  // so that the array is not copied
            waiters.append(waiter)
            entries[name] = .resolving(waiters)
            return .joined
        case .known, nil:
            guard resolvingCount < Self.resolvingLimit else {
                return .known(.failure(ExchangeError(.dns, "too many names are being resolved")))
            }
            if entries.count >= Self.namesLimit { forgetSettled() }
            entries[name] = .resolving([waiter])
            resolvingCount += 1
            return .resolve
        }
    }

    /// Keeps the answer and gives back those who waited for it.
    mutating func settle(_ name: String, _ answer: AddressAnswer, now: NIODeadline) -> [Waiter] {
        var waiters: [Waiter] = []
        if case .resolving(let found) = entries[name] {
            waiters = found
            resolvingCount -= 1
        }
        let lifetime = if case .success = answer { Self.goodLifetime } else { Self.badLifetime }
        entries[name] = .known(answer, until: now + lifetime)
        return waiters
    }

    private mutating func forgetSettled() {
        entries = entries.filter { if case .resolving = $0.value { true } else { false } }
    }
}
