import Events
import Kernel
import ServiceLifecycle

/// Readers that stay: a page that waits for its first event, and a stream that goes on page after page.
///
/// Nothing is pushed to a reader and nothing is kept for one: it is told that there is more, and reads on from the
/// store when it is ready. A slow one is late and loses nothing.
package struct FeedFollower: Sendable {
    /// A look without having been woken: the store is the truth, the bell only makes it quick.
    private static let poll: Duration = .seconds(5)

    package let reader: FeedReader
    package let watch: FeedWatch

    package init(reader: FeedReader, watch: FeedWatch) {
        self.reader = reader
        self.watch = watch
    }

    /// One page; where it would be empty, the next one that is not, if it comes within `wait`.
    package func page(_ query: FeedReader.Query, scope: Scope, wait: Duration) async throws -> FeedReader.Page {
        if wait <= .zero { return try await reader.page(query, scope: scope) }
        let visit = try watch.enter(scope)
        var found: FeedReader.Page?
        try await follow(query, scope: scope, visit: visit, heartbeat: wait) { signal in
            switch signal {
            case .page(let page): found = page
            // The time is over; the cursor has come further all the same.
            case .idle(let next): found = FeedReader.Page(events: [], next: next ?? query.after, hasMore: false)
            }
            return false
        }
        return found ?? FeedReader.Page(events: [], next: query.after, hasMore: false)
    }

    package enum Signal: Sendable {
        /// At least one event.
        case page(FeedReader.Page)
        /// Nothing came for a heartbeat's time; with the cursor that a reader should go on from.
        case idle(EventID?)
    }

    /// Hands over what there is and what comes, until `each` answers false, the server stops, or reading fails.
    ///
    /// The next page is read only after `each` has returned.
    package func follow(
        _ query: FeedReader.Query, scope: Scope, visit: FeedWatch.Visit, heartbeat: Duration,
        _ each: (Signal) async throws -> Bool
    ) async throws {
        try await withGracefulShutdownHandler {
            var query = query
            let clock = ContinuousClock()
            var quietUntil = clock.now + heartbeat
            while !Task.isCancelled, !Task.isShuttingDownGracefully {
                let page = try await reader.page(query, scope: scope)
                query.after = page.next
                if !page.events.isEmpty {
                    if try await !each(.page(page)) { return }
                    quietUntil = clock.now + heartbeat
                } else if clock.now >= quietUntil {
                    if try await !each(.idle(query.after)) { return }
                    quietUntil = clock.now + heartbeat
                }
                if page.hasMore { continue }
                let rest = clock.now.duration(to: quietUntil)
                if rest > .zero { await visit.bell.wait(upTo: min(rest, Self.poll)) }
            }
        } onGracefulShutdown: {
            visit.bell.ring()
        }
    }
}
