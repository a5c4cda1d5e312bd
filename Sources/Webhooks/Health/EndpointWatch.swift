import Events
import Kernel
import Storage

/// Counts attempts, disables subscriptions whose endpoints fail nearly always, and raises the operational events.
///
/// No event of these can lead to another without end. A breaker that opens over an operational event's own delivery is
/// not told of, so an opening that is takes a failed attempt of an event that something else caused, and a recovery
/// takes such an opening. A subscription that is disabled stays so until a caller activates it.
struct EndpointWatch: Sendable {
    /// Where these events say that they come from.
    static let source = "webhooks"
    private static let names: Set<String> = [WebhookFailing.name, WebhookDisabled.name, WebhookRecovered.name]

    let ids: IDGenerator
    let time: TimeSource
    /// Which rows are this process's to count in.
    let writer: Int64
    /// Leases nothing: the dispatcher fetches what it writes.
    private let fanOut: FanOut

    init(ids: IDGenerator, time: TimeSource, writer: Int64) {
        self.ids = ids
        self.time = time
        self.writer = writer
        fanOut = FanOut(ids: ids, dispatcher: nil)
    }

    /// Whether an event only tells of an endpoint's state.
    static func isOperational(_ event: DomainEvent) -> Bool { names.contains(event.type) }

    // MARK: Attempts

    /// Counts attempts; where some failed, the windows of those endpoints are read and judged. Endpoints that only
    /// succeed cost their rows of the one statement that counts, and nothing else.
    func recorded(_ recorded: DeliveryStore.Recorded, in transaction: any Transaction) throws -> DeliveryNews? {
        if recorded.attempts.isEmpty { return nil }
        let tallies = EndpointTally.of(recorded.attempts)
        try EndpointHealthStore.add(tallies, writer: writer, in: transaction)
        let failing = tallies.filter { $0.value.health.failures > 0 }
        let windows = try EndpointHealthStore.windows(
            of: failing.map { ($0.key, $0.value.tenant) }, in: transaction)
        var (events, disabled): ([DomainEvent], [SubscriptionID: TenantID]) = ([], [:])
        // In one order for all transactions: each takes the lock of a subscription's row.
        for window in windows.sorted(by: { $0.subscription < $1.subscription }) {
            if recorded.gone.contains(window.subscription) {
                events += try told([.disabled], of: window, reason: "The endpoint answered 410 Gone.", in: transaction)
            } else if window.health.isPast(window.settings), let own = try disable(window, in: transaction) {
                events += own
            } else {
                continue
            }
            disabled[window.subscription] = window.tenant
        }
        return try news(of: events, disabled: disabled, in: transaction)
    }

    /// Disables a subscription; nil where it is not active any more.
    private func disable(
        _ window: EndpointHealthStore.Window, in transaction: any Transaction
    ) throws -> [DomainEvent]? {
        let (id, tenant) = (window.subscription, window.tenant)
        // Its row is locked before it is asked whether its failing was told of: another copy may be telling of it now.
        guard try SubscriptionStore.isActive(id, tenant: tenant, in: transaction) else { return nil }
        // Whether its breaker opened before or will in a moment is chance: `webhook.failing` comes first in any case.
        let kinds: [Kind] = try BreakerStore.isTold(id, in: transaction) ? [.disabled] : [.failing, .disabled]
        let reason = window.health.sentence(window.settings)
        try SubscriptionStore.setStatus(
            .disabled, reason: reason, of: id, tenant: tenant, now: time.now(), in: transaction)
        return try told(kinds, of: window, reason: reason + ".", in: transaction)
    }

    // MARK: Breakers

    /// Raises what breakers have to tell that opened or closed for all copies.
    func turned(_ turned: [DispatchState.Turned], in transaction: any Transaction) throws -> DeliveryNews? {
        if turned.isEmpty { return nil }
        let found = try EndpointHealthStore.windows(
            of: turned.map { ($0.subscription, $0.tenant) }, in: transaction)
        let windows = Dictionary(found.map { ($0.subscription, $0) }) { first, _ in first }
        var events: [DomainEvent] = []
        for change in turned {
            let window =
                windows[change.subscription]
                ?? EndpointHealthStore.Window(
                    subscription: change.subscription, tenant: change.tenant, settings: TenantSettings(),
                    health: EndpointHealth())
            switch change.turn {
            case .opened:
                let reason =
                    "\(Breaker.failuresMost) attempts in a row failed; deliveries wait while single ones are tried."
                events += try told([.failing], of: window, reason: reason, in: transaction)
            case .closed:
                let reason = "A delivery arrived again; what waited follows."
                events += try told([.recovered], of: window, reason: reason, in: transaction)
            }
        }
        return try news(of: events, disabled: [:], in: transaction)
    }

    // MARK: Telling

    private enum Kind { case failing, disabled, recovered }

    private func told(
        _ kinds: [Kind], of window: EndpointHealthStore.Window, reason: String, in transaction: any Transaction
    ) throws -> [DomainEvent] {
        guard
            let stored = try SubscriptionStore.fetch(window.subscription, tenant: window.tenant, in: transaction)
        else { return [] }
        let endpoint = EndpointPayload(
            subscription: stored.id.cast(), host: EgressURL.hostText(of: stored.url), url: stored.url,
            attempts: window.health.attempts, failures: window.health.failures,
            lastSuccessAt: window.health.lastSuccessAt, reason: reason)
        return kinds.map { kind in
            switch kind {
            case .failing: occurred(WebhookFailing(endpoint: endpoint), stored.scope)
            case .disabled: occurred(WebhookDisabled(endpoint: endpoint), stored.scope)
            case .recovered: occurred(WebhookRecovered(endpoint: endpoint), stored.scope)
            }
        }
    }

    private func occurred(_ event: some EventType, _ scope: Scope) -> DomainEvent {
        event.occurred(
            id: ids.next(), at: time.now(), scope: scope, actor: .system, source: Self.source, causation: nil)
    }

    private func news(
        of events: [DomainEvent], disabled: [SubscriptionID: TenantID], in transaction: any Transaction
    ) throws -> DeliveryNews? {
        if events.isEmpty { return nil }
        let new = try fanOut.record(events, now: time.now(), in: transaction)
        return DeliveryNews(backlogs: new.backlogs, disabled: disabled, scopes: Set(events.map(\.scope)))
    }
}
