import FoundationEssentials
import Synchronization

/// Folders that must not outlive the bench, whatever ends it.
enum ScratchFolder {
    private static let made = Mutex<Set<String>>([])

    static func make(in parent: String, prefix: String) throws -> String {
        let path = "\(parent)/\(prefix)-\(String(UInt32.random(in: 0 ... .max), radix: 36))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        made.withLock { _ = $0.insert(path) }
        return path
    }

    /// Says what could not be removed instead of hiding why the run itself failed.
    static func remove(_ path: String) {
        // Under the lock to the end: the run and a signal may both be at it, and neither may exit half way.
        made.withLock { made in
            guard made.remove(path) != nil else { return }
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                Progress.say("\(path) is left behind: \(error)")
            }
        }
    }

    static func removeAll() {
        for path in made.withLock({ $0 }) { remove(path) }
    }
}
