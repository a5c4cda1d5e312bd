import GRDBSQLite

/// Gathers consecutive writes to a write-ahead log until a transaction's last frame has come, so that they go to the
/// file together.
///
/// A frame is a header of 24 bytes and a page, each written by itself; the header of a transaction's last one holds the
/// database's size in its second word, that of any other holds zero
/// (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
package struct LogWriteBuffer: ~Copyable {
    /// Writes bytes at an offset of the file and gives SQLite's result code.
    package typealias Write = (_ bytes: UnsafeRawBufferPointer, _ offset: Int64) -> Int32

    /// SQLite's access to files takes no more than so much at once: it would cut off the higher bits of the length.
    package static let capacity = 0x1_FFFF
    private static let frameHeaderBytes = 24

    /// Connections that only read make none.
    private var bytes: UnsafeMutableRawBufferPointer?
    private var count = 0
    /// Where the last write ended, gathered or not.
    private var end: Int64 = -1
    private var isLastFrame = false

    package init() {}

    deinit { bytes?.deallocate() }

    /// Takes one write; after a transaction's last frame all of it stands in the file.
    package mutating func append(_ new: UnsafeRawBufferPointer, at offset: Int64, write: Write) -> Int32 {
        let isConsecutive = offset == end
        if !isConsecutive || count + new.count > Self.capacity {
            let code = flush(write)
            if code != SQLITE_OK { return code }
        }
        end = offset + Int64(new.count)
        let isHeader = new.count == Self.frameHeaderBytes
        if isHeader { isLastFrame = new.loadUnaligned(fromByteOffset: 4, as: UInt32.self) != 0 }
        // What does not follow upon the last write mends something that stands in the file, and nothing need follow it.
        if !isConsecutive || new.count > Self.capacity { return write(new, offset) }
        gather(new)
        if isHeader || !isLastFrame { return SQLITE_OK }
        isLastFrame = false
        return flush(write)
    }

    /// Writes what was gathered. When that fails it is given up: SQLite takes the whole transaction back.
    package mutating func flush(_ write: Write) -> Int32 {
        guard let bytes, count > 0 else { return SQLITE_OK }
        defer { count = 0 }
        return write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), end - Int64(count))
    }

    private mutating func gather(_ new: UnsafeRawBufferPointer) {
        let bytes = bytes ?? .allocate(byteCount: Self.capacity, alignment: 16)
        self.bytes = bytes
        UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: new)
        count += new.count
    }
}
