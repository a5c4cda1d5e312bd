import Kernel
import NIOCore
import NIOPosix
import Synchronization

/// Resolves the hosts of outgoing requests and judges every address they have.
final class HostGuard: Sendable {
    private typealias Waiter = OneShot<HostVerdict>

    /// Names that never answer hold a thread for as long as the system's resolver tries; this many may do so before
    /// other new hosts wait. Known hosts never do.
    private static let resolverThreads = 8

    private let policy: EgressPolicy
    private let resolver: any AddressResolver
    private let threads = NIOThreadPool(numberOfThreads: resolverThreads)
    private let timers: any EventLoopGroup
    private let cache = Mutex(VerdictCache<Waiter>())

    init(policy: EgressPolicy, resolver: any AddressResolver, timers: any EventLoopGroup) {
        self.policy = policy
        self.resolver = resolver
        self.timers = timers
        threads.start()
    }

    func shutdown() async throws {
        try await threads.shutdownGracefully()
    }

    /// What the verdict on a URL depends on.
    static func key(of url: EgressURL) -> String { "\(url.hostText):\(url.port)" }

    /// Returns when every address of the URL's host may be connected to; throws dns, refused_address or timeout.
    /// `key` is `key(of: url)`, made once by the caller.
    func admit(_ url: EgressURL, key: String, before deadline: NIODeadline) async throws(ExchangeError) {
        // A literal address was judged with the URL.
        guard case .name(let name) = url.host else { return }
        if let verdict = cache.withLock({ $0.verdict(on: key, now: .now()) }) { return try verdict.get() }
        let waiter = Waiter()
        switch cache.withLock({ $0.lookUp(key, waiter: waiter, now: .now()) }) {
        case .known(let verdict): return try verdict.get()
        case .joined: break
        case .resolve: resolve(name, for: url, key: key)
        }
        let timer = timers.any().scheduleTask(deadline: deadline) {
            _ = waiter.fulfil(.failure(ExchangeError(.timeout, "\(name) was not resolved in time")))
        }
        let verdict = await waiter.value()
        timer.cancel()
        try verdict.get()
    }

    private func resolve(_ name: String, for url: EgressURL, key: String) {
        threads.submit { [self] state in
            let verdict: HostVerdict
            switch state {
            case .active: verdict = judge(name, for: url)
            case .cancelled: verdict = .failure(ExchangeError(.dns, "the client is shutting down"))
            }
            let waiters = cache.withLock { $0.settle(key, verdict, now: .now()) }
            for waiter in waiters { waiter.fulfil(verdict) }
        }
    }

    private func judge(_ name: String, for url: EgressURL) -> HostVerdict {
        Result { () throws(ExchangeError) in
            for address in try resolver.addresses(of: name) {
                do throws(EgressRefusal) { try policy.judge(address: address, of: url) } catch {
                    throw ExchangeError(.refusedAddress, error.sentence)
                }
            }
        }
    }
}
