import NIOCore

/// The idle connections of all endpoints that one event loop serves. Pure: it is told the time and gives back what is
/// to be closed.
///
/// An endpoint is a scheme, a host and a port, as text. One without an idle connection leaves nothing behind.
struct PoolMachine<Connection> {
    /// Bounds, each of them at least 1.
    struct Limits: Sendable {
        var idlePerEndpoint: Int
        var idleInAll: Int
        var idleTime: TimeAmount
    }

    /// Where an idle connection is kept; void once it was taken, removed or given back.
    typealias Slot = Int

    private struct Entry {
        let connection: Connection
        let endpoint: String
        let until: NIODeadline
        var older: Slot?
        var newer: Slot?
    }

    private let limits: Limits
    private var entries: [Entry?] = []
    private var free: [Slot] = []
    private var oldest: Slot?
    private var newest: Slot?
    /// The slots of each endpoint, the one used last at the end: the others get a chance to grow old.
    private var endpoints: [String: [Slot]] = [:]

    init(limits: Limits) {
        self.limits = limits
    }

    var count: Int { entries.count - free.count }
    var endpointsCount: Int { endpoints.count }

    /// The connection of the endpoint that was used last and may still be used.
    mutating func take(_ endpoint: String, now: NIODeadline) -> Connection? {
        guard let slots = endpoints[endpoint], let slot = slots.last(where: { entry(at: $0)?.until ?? now > now })
        else { return nil }
        return remove(slot)
    }

    /// Keeps a connection; `peerKeeps` is how long the peer says it does, `end` when its lifetime is over. Gives back
    /// where, nil for a connection that is not worth it, and those that have to make room.
    mutating func park(
        _ connection: Connection, of endpoint: String, peerKeeps: TimeAmount? = nil,
        end: NIODeadline = .distantFuture, now: NIODeadline
    ) -> (slot: Slot?, until: NIODeadline, evicted: [Connection]) {
        // A second less than the peer says, or the next request meets its closing.
        let peerTime = peerKeeps.map { $0 - .seconds(1) } ?? limits.idleTime
        let until = min(now + min(peerTime, limits.idleTime), end)
        guard until > now else { return (nil, until, []) }
        var evicted: [Connection] = []
        if let slots = endpoints[endpoint], slots.count >= limits.idlePerEndpoint, let first = slots.first {
            if let connection = remove(first) { evicted.append(connection) }
        } else if count >= limits.idleInAll, let oldest, let connection = remove(oldest) {
            evicted.append(connection)
        }
        let entry = Entry(connection: connection, endpoint: endpoint, until: until, older: newest, newer: nil)
        let slot: Slot
        if let reused = free.popLast() {
            slot = reused
            entries[slot] = entry
        } else {
            slot = entries.count
            entries.append(entry)
        }
        if let newest { entries[newest]?.newer = slot } else { oldest = slot }
        newest = slot
        endpoints[endpoint, default: []].append(slot)
        return (slot, until, evicted)
    }

    /// Forgets a connection, such as one that its peer has closed.
    @discardableResult
    mutating func remove(_ slot: Slot) -> Connection? {
        guard let entry = entry(at: slot) else { return nil }
        entries[slot] = nil
        free.append(slot)
        if let older = entry.older { entries[older]?.newer = entry.newer } else { oldest = entry.newer }
        if let newer = entry.newer { entries[newer]?.older = entry.older } else { newest = entry.older }
        if let index = endpoints[entry.endpoint]?.lastIndex(of: slot) {
            endpoints[entry.endpoint]?.remove(at: index)
            if endpoints[entry.endpoint]?.isEmpty == true { endpoints[entry.endpoint] = nil }
        }
        return entry.connection
    }

    /// Gives back the connections whose time is over, and tells when the next one's is.
    mutating func expire(now: NIODeadline) -> (expired: [Connection], next: NIODeadline?) {
        var expired: [Connection] = []
        var next: NIODeadline?
        var slot = oldest
        while let present = slot, let entry = entry(at: present) {
            slot = entry.newer
            if entry.until <= now {
                if let connection = remove(present) { expired.append(connection) }
            } else {
                next = min(next ?? entry.until, entry.until)
            }
        }
        return (expired, next)
    }

    /// Gives back all of them.
    mutating func removeAll() -> [Connection] {
        let all = entries.compactMap { $0?.connection }
        self = PoolMachine(limits: limits)
        return all
    }

    private func entry(at slot: Slot) -> Entry? {
        entries.indices.contains(slot) ? entries[slot] : nil
    }
}
