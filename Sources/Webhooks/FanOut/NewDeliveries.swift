import Kernel

/// What a transaction leaves for the dispatcher, to be offered to it after the commit.
struct NewDeliveries: Sendable {
    /// Born leased to this process.
    var ready: [ReadyDelivery] = []
    /// Endpoints for which deliveries were held back.
    var backlogs: [SubscriptionID: TenantID] = [:]

    var isEmpty: Bool { ready.isEmpty && backlogs.isEmpty }
}
