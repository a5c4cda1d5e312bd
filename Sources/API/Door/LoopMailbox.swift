import NIOCore
import Synchronization

/// Brings work from other threads to an event loop with one wake-up for all that comes at once: a commit answers
/// dozens of senders, and waking a loop costs a system call each time.
final class LoopMailbox: Sendable {
    typealias Letter = @Sendable () -> Void

    private let loop: any EventLoop
    private let waiting = Mutex<[Letter]>([])

    init(_ loop: any EventLoop) { self.loop = loop }

    /// Runs the letter on the loop, behind those that were posted before.
    func post(_ letter: @escaping Letter) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(letter)
            return waiting.count == 1
        }
        if isFirst { loop.execute { self.deliver() } }
    }

    private func deliver() {
        let letters = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for letter in letters { letter() }
    }
}
