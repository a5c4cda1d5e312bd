import HTTPTypes
import Metrics
import NIOCore
import Synchronization

/// Counts answers and times them by route, method and status class. The route is its pattern, never the path that was
/// asked for, so the number of series is that of the routes.
package final class RouteMetrics: Sendable {
    private struct Key: Hashable {
        let route: String
        let method: String
        let statusClass: Int
    }

    private struct Handles {
        let count: Counter
        let duration: Metrics.Timer
    }

    private let factory: any MetricsFactory
    private let handles = Mutex<[Key: Handles]>([:])

    package init(factory: any MetricsFactory) { self.factory = factory }

    func count(route: String, method: HTTPRequest.Method, status: Int, since start: NIODeadline) {
        let key = Key(route: route, method: RouteMetrics.name(of: method), statusClass: status / 100)
        let handles = handles.withLock { handles in
            if let known = handles[key] { return known }
            let made = make(key)
            handles[key] = made
            return made
        }
        handles.count.increment()
        handles.duration.recordNanoseconds((NIODeadline.now() - start).nanoseconds)
    }

    /// Methods are the caller's to invent, so only those of HTTP get a series.
    private static func name(of method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .patch, .delete, .options: method.rawValue
        default: "other"
        }
    }

    private func make(_ key: Key) -> Handles {
        let labels = [
            ("route", key.route), ("method", key.method), ("status", "\(key.statusClass)xx"),
        ]
        return Handles(
            count: Counter(label: "tradewind_http_requests_total", dimensions: labels, factory: factory),
            duration: Metrics.Timer(
                label: "tradewind_http_request_seconds", dimensions: labels, preferredDisplayUnit: .seconds,
                factory: factory))
    }
}
