import Dispatch
import Testing

/// One thread beside those that all tests share.
private final class LongWorkExecutor: TaskExecutor {
    static let only = LongWorkExecutor()

    private let queue = DispatchQueue(label: "long work of tests")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Takes a test off the threads that all tests share.
package struct LongWorkTrait: TestTrait, SuiteTrait, TestScoping {
    package let isRecursive = true

    /// Everything the test does, and what it starts, keeps to the one thread.
    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(LongWorkExecutor.only, operation: function)
    }
}

extension Trait where Self == LongWorkTrait {
    /// For a test that computes for a second or waits for a program without letting go of its thread.
    ///
    /// Swift Testing starts all tests together, and each step of one waits until all others have had theirs: a few
    /// such tests hold back every other by half a minute, past what its calls over the network may take. They run one
    /// after the other on a thread of their own.
    package static var isLongWork: Self { LongWorkTrait() }
}
