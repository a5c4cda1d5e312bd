import Storage
import Synchronization

/// A store that can hold back the answer of a read that is already done.
package final class SlowReads: Database {
    private struct State {
        var isArmed = false
        var held: (@Sendable ((any Error)?) -> Void)?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let database: any Database
    private let state = Mutex(State())

    package init(_ database: any Database) { self.database = database }

    package var dialect: Dialect { database.dialect }
    package var statementCount: Int { database.statementCount }
    package func report() async throws -> EngineReport { try await database.report() }
    package func shutdown() async { await database.shutdown() }

    package func holdNextRead() { state.withLock { $0.isArmed = true } }

    package func enqueue(_ work: Work) {
        let isHeld = state.withLock { state in
            defer { if !work.isWrite { state.isArmed = false } }
            return state.isArmed && !work.isWrite
        }
        guard isHeld else { return database.enqueue(work) }
        database.enqueue(
            Work(lane: work.lane, isWrite: false, body: work.body) { error in
                let waiter = self.state.withLock { state in
                    state.held = { work.completion($0 ?? error) }
                    defer { state.waiter = nil }
                    return state.waiter
                }
                waiter?.resume()
            })
    }

    /// Returns when the read is done and its answer held back.
    package func reached() async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.held == nil { state.waiter = continuation }
                return state.held != nil
            }
            if isThere { continuation.resume() }
        }
    }

    /// - Parameter error: what the read fails with in place of its answer.
    package func release(failing error: (any Error)? = nil) {
        let held = state.withLock { state in
            defer { state.held = nil }
            return state.held
        }
        held?(error)
    }
}
