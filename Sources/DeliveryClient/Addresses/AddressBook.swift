import Kernel
import NIOCore
import NIOPosix
import Synchronization

/// Resolves names on threads of its own, each name once at a time.
final class AddressBook: Sendable {
    typealias Waiter = @Sendable (AddressAnswer) -> Void

    /// A name whose servers are silent holds a thread for as long as the system tries, half a minute as a rule. This
    /// many may do so before other new hosts wait; known hosts never do.
    private static let threadsCount = 16

    private let resolver: any AddressResolver
    private let threads = NIOThreadPool(numberOfThreads: threadsCount)
    private let cache = Mutex(AddressCache<Waiter>())

    init(_ resolver: any AddressResolver) {
        self.resolver = resolver
        threads.start()
    }

    /// Fails what waits. Threads inside the system's resolver end when it does; nobody waits for them.
    func shutdown() {
        threads.shutdownGracefully { _ in }
    }

    /// The answer, if it is known. Otherwise `waiter` is called with it once, on any thread.
    func lookUp(_ name: String, waiter: @escaping Waiter) -> AddressAnswer? {
        switch cache.withLock({ $0.lookUp(name, waiter: waiter, now: .now()) }) {
        case .known(let answer): return answer
        case .joined: return nil
        case .resolve:
            threads.submit { [self] state in resolve(name, isActive: state == .active) }
            return nil
        }
    }

    private func resolve(_ name: String, isActive: Bool) {
        let answer: AddressAnswer =
            isActive
            ? AddressAnswer { () throws(ExchangeError) in try resolver.addresses(of: name) }
            : .failure(ExchangeError(.dns, "the client is shutting down"))
        let waiters = cache.withLock { $0.settle(name, answer, now: .now()) }
        for waiter in waiters { waiter(answer) }
    }
}
