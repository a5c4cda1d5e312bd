import Synchronization

/// Collects what happens on several threads, in the order in which it happened.
package final class Recorder<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])

    package init() {}

    package var elements: [Element] { state.withLock { $0 } }

    /// Adds what has just happened behind all before it.
    package func record(_ element: Element) {
        state.withLock { $0.append(element) }
    }
}
