import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The works that wait for the threads of one lane.
///
/// A thread whose connection is down leaves them to its siblings; when all are down they fail at once, because the
/// senders behind them would rather hear so than wait for a server that may not come back.
final class PostgresLane: @unchecked Sendable {
    enum Pause {
        case over
        /// No connection of the lane is up: the works have to be refused.
        case refuse([Work])
        case closed([Work])
    }

    // All below is read and written under `mutex`.
    private var waiting: [Work] = []
    private var taken = 0
    private var up: Int
    private var isClosed = false

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let hasWork = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// What threads that are down wait for; apart, so that no wake-up meant for a working thread ends with them.
    private let hasRefusal = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(threads: Int) {
        up = threads
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(hasWork, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(hasRefusal, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(hasRefusal)
        pthread_cond_destroy(hasWork)
        pthread_mutex_destroy(mutex)
        hasRefusal.deallocate()
        hasWork.deallocate()
        mutex.deallocate()
    }

    /// Answers false when the lane is closed.
    func append(_ work: Work) -> Bool {
        locked {
            if isClosed { return false }
            waiting.append(work)
            pthread_cond_signal(up > 0 ? hasWork : hasRefusal)
            return true
        }
    }

    /// Waits for the next work; nil once the lane is closed and empty.
    func take() -> Work? {
        locked {
            while taken == waiting.count {
                if isClosed { return nil }
                pthread_cond_wait(hasWork, mutex)
            }
            let work = waiting[taken]
            taken += 1
            // The front is cut off seldom, so that taking stays cheap however long the row is.
            if taken == waiting.count || taken >= 256 {
                waiting.removeFirst(taken)
                taken = 0
            }
            return work
        }
    }

    /// The calling thread has no connection and will not take works until it has.
    func markDown() { locked { up -= 1 } }

    func markUp() {
        locked {
            up += 1
            if taken < waiting.count { pthread_cond_signal(hasWork) }
        }
    }

    /// Waits before the next attempt to connect, but not while there is something to refuse.
    func pause(until deadline: timespec) -> Pause {
        locked {
            var deadline = deadline
            while true {
                if up == 0, taken < waiting.count {
                    let refused = Array(waiting[taken...])
                    waiting = []
                    taken = 0
                    return isClosed ? .closed(refused) : .refuse(refused)
                }
                if isClosed { return .closed([]) }
                if pthread_cond_timedwait(hasRefusal, mutex, &deadline) == ETIMEDOUT { return .over }
            }
        }
    }

    /// No work is taken in any more; what waits is still done.
    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(hasWork)
            pthread_cond_broadcast(hasRefusal)
        }
    }

    private func locked<T>(_ body: () -> T) -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
