import Kernel
import Signing
import Storage
import Synchronization

/// Connections and their keys in memory, so that a delivery costs no query and no unsealing.
///
/// A change made by another copy of the server is seen within the moment below; one made here at once. While an entry
/// is loaded again, other deliveries go on with the one before.
package final class ConnectionDirectory: Sendable {
    /// How a delivery names its connection.
    enum Name: Hashable, Sendable {
        case external(String)
        case id(ConnectionID)
    }

    struct Entry: Sendable {
        let connection: Connection
        /// The connection's own keys, newest first, then those of its workspace.
        let keys: [SigningKey]
    }

    private struct Slot {
        var entry: Entry?
        var expires: Timestamp
    }

    private static let moment: Duration = .seconds(2)
    private static let slotsMost = 20_000

    private let database: any Database
    private let secrets: SecretBox
    private let time: TimeSource
    private struct State {
        var slots: [Name: Slot] = [:]
        /// Counts the times that all was forgotten, so that a load that began before one is not kept after it.
        var generation = 0
    }

    private let state = Mutex(State())

    package init(database: any Database, secrets: SecretBox, time: TimeSource) {
        self.database = database
        self.secrets = secrets
        self.time = time
    }

    /// To be called after each change of a connection or a secret.
    package func forgetAll() {
        state.withLock { state in
            state.slots.removeAll()
            state.generation += 1
        }
    }

    /// What is known without asking the store; nil when it has to be asked.
    func known(_ name: Name) -> (entry: Entry?, Void)? {
        let now = time.now()
        return state.withLock { state in
            guard let slot = state.slots[name], slot.expires > now else { return nil }
            return (slot.entry, ())
        }
    }

    /// Nil when there is no such connection; that answer is remembered as well.
    func entry(_ name: Name) async throws -> Entry? {
        let now = time.now()
        enum Found { case fresh(Entry?), missing(generation: Int) }
        let found: Found = state.withLock { state in
            guard var slot = state.slots[name] else { return .missing(generation: state.generation) }
            if slot.expires > now { return .fresh(slot.entry) }
            if slot.entry == nil { return .missing(generation: state.generation) }
            // This caller loads it again; the others take what there is, for a while.
            slot.expires = now + Self.moment
            state.slots[name] = slot
            return .missing(generation: state.generation)
        }
        let generation: Int
        switch found {
        case .fresh(let entry): return entry
        case .missing(let current): generation = current
        }
        let entry = try await load(name, now: now)
        state.withLock { state in
            guard state.generation == generation else { return }
            if state.slots.count >= Self.slotsMost {
                // Names that nobody has go first: strangers can make up any number of those.
                state.slots = state.slots.filter { $0.value.entry != nil }
                if state.slots.count >= Self.slotsMost { state.slots.removeAll() }
            }
            state.slots[name] = Slot(entry: entry, expires: now + Self.moment)
        }
        return entry
    }

    private func load(_ name: Name, now: Timestamp) async throws -> Entry? {
        let found = try await database.read(.interactive) { transaction in
            let connection =
                switch name {
                case .external(let text): try ConnectionStore.fetch(externalID: text, in: transaction)
                case .id(let id): try ConnectionStore.fetch(id, in: transaction)
                }
            guard let connection else { return (Connection, [ConnectionStore.SealedSecret])?.none }
            let own = try ConnectionStore.secrets(
                of: connection.id, scope: connection.scope, now: now, in: transaction)
            let shared = try ConnectionStore.secrets(of: nil, scope: connection.scope, now: now, in: transaction)
            return (connection, own + shared)
        }
        guard let (connection, sealed) = found else { return nil }
        let keys = try sealed.compactMap { SigningKey(try secrets.open($0.sealed, context: $0.context)) }
        return Entry(connection: connection, keys: keys)
    }
}
