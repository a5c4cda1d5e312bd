import Synchronization

/// Keeps jobs of tasks until the world runs them, one at a time on its own thread, in an order that its seed draws.
final class StepExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs one of the waiting jobs, the one that was drawn; false when none waits.
    func runOne(_ drawn: UInt64) -> Bool {
        let job = jobs.withLock { jobs -> UnownedJob? in
            jobs.isEmpty ? nil : jobs.remove(at: Int(drawn % UInt64(jobs.count)))
        }
        job?.runSynchronously(on: asUnownedTaskExecutor())
        return job != nil
    }

    /// Starts work whose every step waits for `runOne`.
    @discardableResult
    func start(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self) { await work() }
    }
}
