import Kernel
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// What the lanes of a client share.
struct LaneParts: Sendable {
    let policy: EgressPolicy
    let addresses: AddressBook
    /// One for all connections; why there is none where the machine has no usable trust roots.
    let tls: Result<NIOSSLContext, ExchangeError>
    let options: DeliveryOptions
}

/// One event loop with the calls and connections of the endpoints that fell to it.
///
/// Unchecked: all but the inbox is touched on the loop only. A connection holds its lane, and the lane its idle
/// connections: `close()` must be called before the last reference goes.
final class Lane: @unchecked Sendable {
    private struct Inbox {
        var calls: [Call] = []
        var cancelled: [Call] = []
        var isEmpty: Bool { calls.isEmpty && cancelled.isEmpty }
    }

    /// Sweeps come no closer to each other; a deadline is kept to within this.
    private static let sweepDistance = TimeAmount.milliseconds(5)

    let loop: any EventLoop
    let parts: LaneParts
    private let inbox = Mutex(Inbox())

    private var calls: [Call] = []
    private var pool: PoolMachine<Connection>
    private var sweepAt = NIODeadline.distantFuture
    private var sweepTask: Scheduled<Void>?
    private var isClosed = false
    /// Requests are written here. The channel has given the storage back by the next one, so it is not made anew.
    private var scratch = ByteBuffer()

    init(on loop: any EventLoop, _ parts: LaneParts, idleInAll: Int) {
        self.loop = loop
        self.parts = parts
        pool = PoolMachine(
            limits: .init(
                idlePerEndpoint: parts.options.idlePerEndpoint, idleInAll: idleInAll,
                idleTime: TimeAmount(parts.options.idleTime)))
    }

    /// Takes a call over, from any thread.
    func submit(_ call: Call) {
        handOver { $0.calls.append(call) }
    }

    /// Ends a call, from any thread, also before it was submitted.
    func cancel(_ call: Call) {
        handOver { $0.cancelled.append(call) }
    }

    /// Fails all calls and closes all connections. Later calls fail at once.
    func close() async throws {
        try await loop.submit { self.closeAll() }.get()
    }

    /// Calls under way and idle connections, for tests.
    func counts() async throws -> (calls: Int, idle: Int, endpoints: Int) {
        try await loop.submit { (self.calls.count, self.pool.count, self.pool.endpointsCount) }.get()
    }

    private func handOver(_ put: (inout Inbox) -> Void) {
        let isFirst = inbox.withLock { inbox in
            let wasEmpty = inbox.isEmpty
            put(&inbox)
            return wasEmpty
        }
        if isFirst { loop.execute { self.takeIn() } }
    }

    private func takeIn() {
        let new = inbox.withLock { inbox in
            defer { inbox = Inbox() }
            return inbox
        }
        for call in new.cancelled { cancelNow(call) }
        let now = NIODeadline.now()
        for call in new.calls { start(call, now: now) }
    }

    private func start(_ call: Call, now: NIODeadline) {
        if let refusal = refusal(of: call, now: now) {
            call.place = .over
            return call.fail(refusal, now: now)
        }
        call.index = calls.count
        calls.append(call)
        sweep(by: call.deadline)
        if call.purpose == .send {
            while let connection = pool.take(call.route.endpoint, now: now) {
                connection.slot = nil
                if connection.serve(call) { return }
            }
        }
        open(call, now: now)
    }

    private func refusal(of call: Call, now: NIODeadline) -> ExchangeError? {
        if isClosed { return ExchangeError(.connect, "the client is shutting down") }
        if call.isCancelled { return ExchangeError(.timeout, "the call was cancelled") }
        return call.deadline <= now ? ExchangeError(.timeout, "the call had no time") : nil
    }

    private func cancelNow(_ call: Call) {
        call.isCancelled = true
        if call.index != nil { finish(call, with: .failure(ExchangeError(.timeout, "the call was cancelled"))) }
    }

    private func closeAll() {
        isClosed = true
        for call in calls.reversed() {
            finish(call, with: .failure(ExchangeError(.connect, "the client is shutting down")))
        }
        for connection in pool.removeAll() { connection.close() }
        sweepTask?.cancel()
        sweepTask = nil
        sweepAt = .distantFuture
    }
}

// The ends of calls and the idle connections.
extension Lane {
    /// Answers the call and lets go of it, with whatever is still under way for it.
    func finish(_ call: Call, with result: Result<ConnectionMachine.Answer, ExchangeError>) {
        let now = NIODeadline.now()
        let place = call.place
        forget(call)
        switch place {
        case .opening(let opening): for channel in opening.channels { channel.close(promise: nil) }
        case .on(let connection): connection.abandon(call)
        case .waiting, .over: break
        }
        switch result {
        case .success(let answer): call.succeed(answer, now: now)
        case .failure(let error): call.fail(error, now: now)
        }
    }

    /// Takes an answered call out of the list.
    func forget(_ call: Call) {
        call.place = .over
        guard let index = call.index else { return }
        call.index = nil
        let last = calls.removeLast()
        if last !== call {
            calls[index] = last
            last.index = index
        }
    }

    func park(_ connection: Connection) {
        if isClosed { return connection.close() }
        let parking = pool.park(
            connection, of: connection.endpoint, peerKeeps: connection.peerKeeps,
            end: connection.bornAt + TimeAmount(parts.options.lifetime), now: .now())
        for evicted in parking.evicted { evicted.close() }
        guard let slot = parking.slot else { return connection.close() }
        connection.slot = slot
        sweep(by: parking.until)
    }

    func unpark(_ connection: Connection) {
        guard let slot = connection.slot else { return }
        connection.slot = nil
        pool.remove(slot)
    }

    /// The storage that requests are written to, filled by `write`.
    func bytes(_ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
        if scratch.capacity > 1 << 16 { scratch = ByteBuffer() }
        scratch.clear(minimumCapacity: 1024)
        write(&scratch)
        return scratch
    }

    func sweep(by time: NIODeadline) {
        guard time < sweepAt else { return }
        sweepTask?.cancel()
        sweepAt = time
        sweepTask = loop.scheduleTask(deadline: time) { self.sweep() }
    }

    /// One timer for all: it looks after every call and every idle connection, and sets itself to when the next needs
    /// it. A call that ends in time, as nearly all do, costs no timer of its own.
    private func sweep() {
        let now = NIODeadline.now()
        sweepTask = nil
        sweepAt = .distantFuture
        var next = NIODeadline.distantFuture
        // Backwards, because a call that ends leaves its place to the last one.
        for index in calls.indices.reversed() where index < calls.count {
            let call = calls[index]
            if call.deadline <= now {
                finish(call, with: .failure(ExchangeError(.timeout, call.late)))
            } else if call.due <= now {
                tryNext(call, now: now)
            }
        }
        for call in calls { next = min(next, call.due) }
        let (expired, nextExpiry) = pool.expire(now: now)
        for connection in expired {
            connection.slot = nil
            connection.close()
        }
        if let nextExpiry { next = min(next, nextExpiry) }
        if next < .distantFuture { sweep(by: max(next, now + Lane.sweepDistance)) }
    }
}
