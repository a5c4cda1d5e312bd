import UnixSignals

/// Runs something until it ends by itself; nil when SIGINT or SIGTERM ended it.
func untilInterrupted<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await _ in signals { return nil }
            return nil
        }
        let first = try await group.next()
        group.cancelAll()
        return first ?? nil
    }
}
