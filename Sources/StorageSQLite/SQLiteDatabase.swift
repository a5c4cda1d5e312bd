import Kernel
import Logging
import Storage
import Synchronization

/// The embedded engine: one file, one thread that writes, a few that read.
///
/// All writing work that waits shares one commit and so one flush of the disk; each piece is answered after it.
package final class SQLiteDatabase: Database {
    private let writes = WorkQueue()
    private let reads = WorkQueue()
    private let threads: EngineThreads
    let figures = SQLiteFigures()

    package var dialect: Dialect { .sqlite }
    package var statementCount: Int { figures.statements.load(ordering: .relaxed) }

    /// Opens or makes the file at `path`, whose folder must exist. A file beside it, `<path>.lock`, keeps others away.
    ///
    /// - Parameters:
    ///   - time: what `now_ms()` answers.
    ///   - readers: threads that read; each costs about 4 MiB of cache when busy.
    package init(
        path: String, time: TimeSource = .system, readers: Int = 2, logger: Logger = Logger(label: "storage.sqlite")
    ) throws {
        let lock = try LockFile(path: path + ".lock")
        let writer = try SQLiteHandle.writer(path: path, time: time)
        let readers = try (0..<max(1, readers)).map { _ in try SQLiteHandle.reader(path: path, time: time) }
        let log: @Sendable (any Error) -> Void = {
            logger.error("The SQLite engine met a fault and goes on", metadata: ["error": "\($0)"])
        }
        threads = EngineThreads {
            // The writer's connection last: the last one to close copies the rest of the log into the file.
            for handle in readers + [writer] {
                do { try handle.close() } catch { log(error) }
            }
            lock.release()
        }
        let readLoop = SQLiteReader(queue: reads, log: log)
        let writeLoop = SQLiteWriter(queue: writes, log: log)
        let lend: @Sendable (SQLiteHandle, WorkQueue, (SQLiteConnection) -> Void) -> Void = {
            [figures] handle, queue, loop in
            do { try handle.use(figures: figures, loop) } catch {
                log(error)
                SQLiteDatabase.refuseAll(queue)
            }
        }
        var bodies: [@Sendable () -> Void] = [{ [writes] in lend(writer, writes) { writeLoop.run($0) } }]
        for reader in readers { bodies.append { [reads] in lend(reader, reads) { readLoop.run($0) } } }
        do {
            try threads.start(bodies)
        } catch {
            writes.close()
            reads.close()
            throw error
        }
    }

    deinit {
        writes.close()
        reads.close()
    }

    package func enqueue(_ work: Work) {
        let isTaken = work.isWrite ? writes.put(work) : reads.put(work)
        if !isTaken { work.completion(StorageError(.unavailable, "the store is shut down")) }
    }

    package func shutdown() async {
        writes.close()
        reads.close()
        await threads.wait()
    }

    /// For a thread that got no connection: nothing may wait for ever.
    private static func refuseAll(_ queue: WorkQueue) {
        queue.close()
        var lanes = Lanes()
        _ = queue.takeAll(into: &lanes, patience: .none)
        for work in lanes.drain() { work.completion(StorageError(.unavailable, "no connection to the store")) }
    }
}
