import Kernel
import Synchronization

/// What a replay's turn is told of the deliveries that it sends before they have rows.
final class ReplaySending: Sendable {
    private let written = Mutex<[DeliveryID]>([])
    /// Rung when there is something to take.
    let bell = Doorbell()

    /// The row of a delivery is there, and says what came of its first attempt.
    func wrote(_ delivery: DeliveryID) {
        let isFirst = written.withLock { written in
            written.append(delivery)
            return written.count == 1
        }
        if isFirst { bell.ring() }
    }

    /// Those that were written since it was asked last.
    func takeWritten() -> [DeliveryID] {
        written.withLock { written in
            defer { written.removeAll(keepingCapacity: true) }
            return written
        }
    }
}
