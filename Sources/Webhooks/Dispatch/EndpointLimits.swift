/// What a subscription sets for the calls to its endpoint.
struct EndpointLimits: Sendable, Equatable {
    /// Calls a second.
    var rate: Int?
    /// Calls at once.
    var inFlight: Int?
    var isOrdered = false
}

extension EndpointLimits {
    init(_ endpoint: Endpoint) {
        self.init(rate: endpoint.rateLimit, inFlight: endpoint.maxInFlight, isOrdered: endpoint.isOrdered)
    }
}
