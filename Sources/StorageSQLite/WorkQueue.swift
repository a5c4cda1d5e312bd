import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where callers leave work and the engine's threads wait for it.
///
/// A pthread condition, because the threads that wait here are not tasks and must not hold one of the executor's.
final class WorkQueue: @unchecked Sendable {
    /// How long a thread may sleep when nothing is waiting.
    enum Patience {
        case none
        case milliseconds(Int)
        case endless
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var lanes = Lanes()
    private var isClosed = false
    private var sleepers = 0
    private var taken = 0

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrival, nil)
    }

    deinit {
        pthread_cond_destroy(arrival)
        pthread_mutex_destroy(mutex)
        arrival.deallocate()
        mutex.deallocate()
    }

    /// False when the queue is closed; the work was not taken then.
    func put(_ work: Work) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isClosed { return false }
        lanes.append(work)
        if sleepers > 0 { pthread_cond_signal(arrival) }
        return true
    }

    /// The first lane in which something came meanwhile.
    var foremost: Lane? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return lanes.foremost
    }

    /// What was put before is still handed out.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(arrival)
        pthread_mutex_unlock(mutex)
    }

    /// Moves everything that waits into `out`; returns whether more can come.
    func takeAll(into out: inout Lanes, patience: Patience) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        sleep(patience)
        out.absorb(&lanes)
        return !isClosed
    }

    /// The next single piece of work, the first lane's first; nil once the queue is closed and empty.
    func takeOne() -> Work? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        sleep(.endless)
        taken &+= 1
        // Every eighth turn begins at the other end, so that a crowd in one lane starves no other.
        let order = taken % 8 == 0 ? Lane.allCases.reversed() : Lane.allCases
        for lane in order {
            if let work = lanes.popFirst(lane) { return work }
        }
        return nil
    }

    private func sleep(_ patience: Patience) {
        sleepers += 1
        defer { sleepers -= 1 }
        switch patience {
        case .none: return
        case .endless:
            while lanes.isEmpty && !isClosed { pthread_cond_wait(arrival, mutex) }
        case .milliseconds(let limit):
            var end = timespec()
            clock_gettime(CLOCK_REALTIME, &end)
            let nanoseconds = Int(end.tv_nsec) + limit % 1000 * 1_000_000
            end.tv_sec += limit / 1000 + nanoseconds / 1_000_000_000
            end.tv_nsec = nanoseconds % 1_000_000_000
            while lanes.isEmpty && !isClosed {
                if pthread_cond_timedwait(arrival, mutex, &end) != 0 { return }
            }
        }
    }
}
