import Foundation
import Synchronization

/// What a client that trusts nobody writes down: each id whose event the server has answered with 200.
final class Ledger: Sendable {
    private let path: String
    private let file: Mutex<Int32>
    private let lines = Mutex(0)

    init(path: String) throws {
        self.path = path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Overdue(description: "no ledger at \(path)") }
        file = Mutex(descriptor)
    }

    deinit { file.withLock { _ = close($0) } }

    /// Lines written so far.
    var count: Int { lines.withLock { $0 } }

    /// - Parameter answer: `accepted` or `duplicate`.
    func record(_ id: String, _ answer: String) throws {
        let bytes = Array("\(id) \(answer)\n".utf8)
        guard file.withLock({ write($0, bytes, bytes.count) }) == bytes.count else {
            throw Overdue(description: "the ledger can't be written")
        }
        lines.withLock { $0 += 1 }
    }

    /// The ids that stand in the file.
    func ids() throws -> Set<String> {
        Set(
            try Program.text(of: path).split(separator: "\n").compactMap {
                $0.split(separator: " ").first.map(String.init)
            })
    }
}
