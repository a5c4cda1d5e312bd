import Kernel
import Signing
import Storage
import Synchronization

/// Connections and their keys in memory, so that a delivery costs no query and no unsealing.
///
/// A change made by another copy of the server is seen within the moment below; one made here at once. One delivery at
/// a time asks for a connection, and the others go on with what is known while that holds.
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

    /// What the store said; no entry where it knows of no such connection.
    private struct Slot {
        let entry: Entry?
        let asked: Timestamp
    }

    private typealias Question = SharedResult<Entry?>

    private struct State {
        var slots: [Name: Slot] = [:]
        /// Those that are under way. One that is not here any more may have been answered before a change.
        var questions: [Name: Question] = [:]
    }

    /// How long a change made elsewhere may go unseen.
    private static let moment: Duration = .seconds(2)
    /// The age from which a delivery asks anew, while others go on with what is known.
    private static let renewalAge: Duration = .seconds(1)
    private static let slotsMost = 20_000

    private let database: any Database
    private let secrets: SecretBox
    private let time: TimeSource
    private let state = Mutex(State())

    package init(database: any Database, secrets: SecretBox, time: TimeSource) {
        self.database = database
        self.secrets = secrets
        self.time = time
    }

    /// To be called after each change of a connection or a secret.
    package func forgetAll() { state.withLock { $0 = State() } }

    /// What is known without asking the store; nil when it has to be asked.
    func known(_ name: Name) -> (entry: Entry?, Void)? {
        let now = time.now()
        return state.withLock { Self.known(name, in: $0, now: now) }
    }

    private static func known(_ name: Name, in state: State, now: Timestamp) -> (entry: Entry?, Void)? {
        guard let slot = state.slots[name] else { return nil }
        let age = now - slot.asked
        guard age < renewalAge || age < moment && state.questions[name] != nil else { return nil }
        return (slot.entry, ())
    }

    /// Nil when there is no such connection; that answer is remembered as well.
    func entry(_ name: Name) async throws -> Entry? {
        enum Next { case known(Entry?), wait(Question), ask(Question) }
        let now = time.now()
        let next: Next = state.withLock { state in
            if let known = Self.known(name, in: state, now: now) { return .known(known.entry) }
            if let question = state.questions[name] { return .wait(question) }
            let question = Question()
            state.questions[name] = question
            return .ask(question)
        }
        switch next {
        case .known(let entry): return entry
        case .wait(let question): return try await question.value()
        case .ask(let question):
            do {
                let entry = try await load(name, now: now)
                end(question, of: name, with: Slot(entry: entry, asked: now))
                question.settle(.success(entry))
                return entry
            } catch {
                end(question, of: name, with: nil)
                question.settle(.failure(error))
                throw error
            }
        }
    }

    /// Keeps what a question came to, unless all was to be forgotten since it was asked.
    private func end(_ question: Question, of name: Name, with slot: Slot?) {
        state.withLock { state in
            guard state.questions[name] === question else { return }
            state.questions[name] = nil
            guard let slot else { return }
            if state.slots.count >= Self.slotsMost {
                // Names that nobody has go first: strangers can make up any number of those.
                state.slots = state.slots.filter { $0.value.entry != nil }
                if state.slots.count >= Self.slotsMost { state.slots.removeAll() }
            }
            state.slots[name] = slot
        }
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
