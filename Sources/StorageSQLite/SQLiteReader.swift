import Storage

/// The loop of one reading thread: each piece of work sees one consistent state and lets go of it at once.
struct SQLiteReader {
    let queue: WorkQueue
    let log: @Sendable (StorageError) -> Void

    /// Returns once the queue is closed and empty.
    func run(_ connection: SQLiteConnection) {
        while let work = queue.takeOne() { work.completion(read(work, connection)) }
    }

    private func read(_ work: Work, _ connection: SQLiteConnection) -> (any Error)? {
        defer {
            // An open snapshot would keep the log from ever being cut, so none outlives its work.
            if !connection.isOutsideTransaction {
                do throws(StorageError) { try connection.control("ROLLBACK") } catch { log(error) }
            }
        }
        do {
            try connection.control("BEGIN DEFERRED")
            try SQLiteTransaction(connection).perform(work.body)
            try connection.control("COMMIT")
            return nil
        } catch {
            return error
        }
    }
}
