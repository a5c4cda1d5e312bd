import Storage
import Synchronization

/// Tells of a deduplication key that it can't be in `inbox_key`, without looking there: a Bloom filter, in blocks as
/// wide as a line of the processor's cache. Almost every delivery is new, and in a large table each lookup would read a
/// page.
///
/// Every key that this process handles is put in before it is looked up, those of undone work too. What earlier
/// processes have left is read while the server runs, and until the last of it is in, every key may be known. "Perhaps"
/// for a key that nobody sent costs a lookup, nothing else. Eight mebibytes at most, taken as they fill, hold that
/// below one in a hundred for six million keys; with thirty million it is half of them.
final class InboxKeyFilter: Sendable {
    private struct State {
        var bits = Bits()
        var isComplete = false
    }

    /// Keys that are read at a time.
    private static let slice = 4_096

    private let state = Mutex(State())

    /// Puts keys in; tells of each whether it may have been there before.
    func insert(_ keys: [[UInt8]]) -> [Bool] {
        state.withLock { state in
            keys.map { key in
                let wasThere = state.bits.insert(key)
                return wasThere || !state.isComplete
            }
        }
    }

    /// Reads the keys that are in the table.
    func complete(from database: any Database) async throws {
        var last: [UInt8]? = []
        while let after = last {
            try Task.checkCancellation()
            let keys = try await database.read(.background) { transaction in
                try transaction.all(
                    "SELECT key FROM inbox_key WHERE key > $1 ORDER BY key LIMIT $2",
                    [.bytes(after), .int(Self.slice)]
                ) { $0.bytes(0) }
            }
            _ = insert(keys)
            last = keys.count == Self.slice ? keys.last : nil
        }
        state.withLock { $0.isComplete = true }
    }

    /// The bits: eight words a block, 256 blocks a chunk, and a chunk only where a key has fallen.
    private struct Bits {
        private var chunks = [[UInt64]](repeating: [], count: 512)

        /// Sets the bits of a key of 16 evenly spread bytes; returns whether all of them were set before.
        ///
        /// The first bytes choose the block, so that keys in order go through memory in order; the last ones choose
        /// five bits of its 512.
        mutating func insert(_ key: [UInt8]) -> Bool {
            precondition(key.count == 16, "a deduplication key has 16 bytes")
            let chunk = Int(key[0]) << 1 | Int(key[1]) >> 7
            let block = Int(key[1] & 127) << 1 | Int(key[2]) >> 7
            if chunks[chunk].isEmpty { chunks[chunk] = [UInt64](repeating: 0, count: 8 * 256) }
            let places = key[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            var wasThere = true
            for turn in 0..<5 {
                let place = Int(truncatingIfNeeded: places >> UInt64(9 * turn)) & 511
                let (word, bit) = (block * 8 + (place >> 6), UInt64(1) << UInt64(place & 63))
                if chunks[chunk][word] & bit == 0 {
                    wasThere = false
                    chunks[chunk][word] |= bit
                }
            }
            return wasThere
        }
    }
}
