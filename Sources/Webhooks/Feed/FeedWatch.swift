import Events
import Kernel
import Synchronization

/// Readers that wait for something new in their organisation's feed, and what wakes them.
package final class FeedWatch: Sendable {
    /// Readers of one tenant that may wait at once in this process: each holds a connection open.
    static let visitsMost = 100

    private struct State {
        var bells: [Scope: [Int: Doorbell]] = [:]
        var visits: [TenantID: Int] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// One reader's stay; it ends when the last reference to it is gone.
    package final class Visit: Sendable {
        /// Rung whenever there may be something new; rings during a look at the store are remembered.
        let bell: Doorbell
        private let watch: FeedWatch
        private let scope: Scope
        private let number: Int

        fileprivate init(_ watch: FeedWatch, _ scope: Scope, _ number: Int, _ bell: Doorbell) {
            self.watch = watch
            self.scope = scope
            self.number = number
            self.bell = bell
        }

        deinit { watch.leave(scope, number) }
    }

    /// Begins a stay; refuses more of them than a tenant may have.
    package func enter(_ scope: Scope) throws -> Visit {
        let bell = Doorbell()
        let number: Int? = state.withLock { state in
            guard state.visits[scope.tenant, default: 0] < Self.visitsMost else { return nil }
            state.visits[scope.tenant, default: 0] += 1
            state.lastNumber += 1
            state.bells[scope, default: [:]][state.lastNumber] = bell
            return state.lastNumber
        }
        guard let number else {
            throw Refusal(
                .tooMany, "The tenant already has \(Self.visitsMost) readers waiting for the feed.", retryAfter: 5)
        }
        return Visit(self, scope, number, bell)
    }

    private func leave(_ scope: Scope, _ number: Int) {
        state.withLock { state in
            state.bells[scope]?[number] = nil
            if state.bells[scope]?.isEmpty == true { state.bells[scope] = nil }
            let left = state.visits[scope.tenant, default: 1] - 1
            state.visits[scope.tenant] = left > 0 ? left : nil
        }
    }

    /// Readers that wait now, over all tenants.
    package var visitCount: Int { state.withLock { $0.visits.values.reduce(0, +) } }

    /// Wakes the readers of these organisations.
    func announce(_ scopes: some Sequence<Scope>) {
        let bells = state.withLock { state in
            state.bells.isEmpty ? [] : scopes.flatMap { state.bells[$0].map { Array($0.values) } ?? [] }
        }
        for bell in bells { bell.ring() }
    }

    /// Wakes everyone: another copy of the server has added something, and does not say whose.
    func announceAll() {
        let bells = state.withLock { $0.bells.values.flatMap(\.values) }
        for bell in bells { bell.ring() }
    }
}
