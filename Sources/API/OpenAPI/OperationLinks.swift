import HTTPTypes

/// The ways from what one operation makes to those that take it further: clients and judges can follow them.
enum OperationLinks {
    struct Link: Sendable {
        let operation: Operation
        /// The name in the target's path, and where its value stands in the answer (RFC 6901).
        let name: String
        let pointer: String
    }

    /// Where an answer's identifier doesn't stand for the path below the operation's own.
    private static let others: [String: (path: String, pointer: String)] = [
        "saveConnection": ("/api/v1/integrations/connections/{id}", "/connection/id"),
        "publishEvent": ("/api/v1/events/{id}", "/event_id"),
        "eraseCustomer": ("/api/v1/workflows/{id}", "/workflow_id"),
    ]

    /// What may follow on the success of an operation that makes something, in the document's order.
    static func links(from operation: Operation, among all: [Operation]) -> [Link] {
        guard operation.method == .post else { return [] }
        let other = others[operation.id]
        return all.compactMap { target in
            guard let name = target.pathNames.first, target.pathNames.count == 1 else { return nil }
            let path = other?.path ?? "\(operation.path)/{\(name)}"
            guard target.path == path || target.path.hasPrefix(path + "/") else { return nil }
            return Link(operation: target, name: name, pointer: other?.pointer ?? "/\(name)")
        }
    }
}
