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
    private let slots = Mutex<[Name: Slot]>([:])

    package init(database: any Database, secrets: SecretBox, time: TimeSource) {
        self.database = database
        self.secrets = secrets
        self.time = time
    }

    package func forgetAll() { slots.withLock { $0.removeAll() } }

    /// Nil when there is no such connection; that answer is remembered as well.
    func entry(_ name: Name) async throws -> Entry? {
        let now = time.now()
        enum Found { case fresh(Entry?), missing }
        let found: Found = slots.withLock { slots in
            guard var slot = slots[name] else { return .missing }
            if slot.expires > now { return .fresh(slot.entry) }
            if slot.entry == nil { return .missing }
            // This caller loads it again; the others take what there is, for a while.
            slot.expires = now + Self.moment
            slots[name] = slot
            return .missing
        }
        if case .fresh(let entry) = found { return entry }
        let entry = try await load(name, now: now)
        slots.withLock { slots in
            if slots.count >= Self.slotsMost { slots.removeAll() }
            slots[name] = Slot(entry: entry, expires: now + Self.moment)
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
