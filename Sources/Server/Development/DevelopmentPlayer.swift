import API
import Commerce
import HTTPTypes
import Integrations
import Kernel
import Webhooks

/// Posts deliveries over HTTP to the running server, one at a time, and waits for what each of them leads to.
struct DevelopmentPlayer {
    /// How long one delivery, and all of them together, may take to lead to something.
    private static let patience: Duration = .seconds(5)
    private static let patienceForAll: Duration = .seconds(30)

    private let server: RunningServer
    private let workspace: DevelopmentWorkspace
    private let address: String
    private let log: ArrivalLog
    private let clock = ContinuousClock()
    private let end: ContinuousClock.Instant

    init(server: RunningServer, workspace: DevelopmentWorkspace, address: String, log: ArrivalLog) {
        self.server = server
        self.workspace = workspace
        self.address = address
        self.log = log
        end = clock.now + Self.patienceForAll
    }

    func play(_ delivery: DevelopmentDelivery) async throws -> DevelopmentReport.Played {
        if let order = delivery.order { log.begin(order: order) }
        let response = try await server.exchange.send(
            OutgoingRequest(
                method: .post, url: address + delivery.path, headers: delivery.headers, body: delivery.body))
        let answer = (try? JSONValue(parsing: response.body)) ?? .null
        guard response.status == 200, let status = answer["status"]?.string else {
            let why = answer["error"]?.string ?? answer["detail"]?.string ?? ""
            return DevelopmentReport.Played(
                event: delivery.event, note: delivery.note, answer: "HTTP \(response.status) \(why)", outcome: "",
                order: nil)
        }
        guard let id = answer["id"]?.string.flatMap({ InboxID($0) }) else {
            return DevelopmentReport.Played(
                event: delivery.event, note: delivery.note, answer: status, outcome: "", order: nil)
        }
        let entry = try await settledEntry(id, of: delivery.connection)
        if entry?.state == "processed" { try await awaitDeliveries() }
        let outcome = entry.map { [$0.state, $0.reason].compactMap { $0 }.joined(separator: ": ") }
        return DevelopmentReport.Played(
            event: delivery.event, note: delivery.note, answer: status, outcome: outcome ?? "not in the inbox",
            order: entry?.order?.cast())
    }

    /// The orders that deliveries told of, each once, in that order.
    func orders(of played: [DevelopmentReport.Played]) async throws -> [Order] {
        var orders: [Order] = []
        for id in played.compactMap(\.order) where !orders.contains(where: { $0.id == id }) {
            let story = try await server.services.orders.require(
                id, scope: DevelopmentWorkspace.principal.scope, withSource: false)
            orders.append(story.order)
        }
        return orders
    }

    /// What was to be delivered to the receiver and did not get there, in a line each.
    func missing() async throws -> [String] {
        try await deliveries().filter { $0.state != "delivered" }.map { delivery in
            let last = delivery.attempts.last
            let why = delivery.reason ?? last?.detail ?? last?.status.map { "HTTP \($0)" } ?? "no answer yet"
            return "not delivered: \(delivery.eventType), \(delivery.state): \(why)"
        }
    }

    // MARK: Waiting

    /// The inbox entry once its workflow has come to an end, or as it stands when patience ends.
    private func settledEntry(_ id: InboxID, of connection: ConnectionID) async throws -> InboxSummary? {
        let scope = DevelopmentWorkspace.principal.scope
        // The list is walked by what lies before an id: before the next one lies this one.
        let next = InboxID(high: id.high, low: id.low &+ 1)
        var entry: InboxSummary?
        try await wait {
            entry = try await server.services.inbox.list(
                connection, scope: scope, before: next, limit: 1, withBodies: false
            ).first { $0.id == id }
            return entry?.state != "queued"
        }
        return entry
    }

    /// Returns once each delivery to the receiver has been attempted.
    private func awaitDeliveries() async throws {
        try await wait {
            try await deliveries().allSatisfy { $0.finishedAt != nil || !$0.attempts.isEmpty }
        }
    }

    private func deliveries() async throws -> [DeliverySummary] {
        try await server.services.subscriptions.deliveries(
            of: workspace.subscription.id, scope: DevelopmentWorkspace.principal.scope, before: nil,
            limit: Limits.pageRows)
    }

    private func wait(until isTrue: () async throws -> Bool) async throws {
        let end = min(end, clock.now + Self.patience)
        while try await !isTrue(), clock.now < end { try await Task.sleep(for: .milliseconds(5)) }
    }
}
