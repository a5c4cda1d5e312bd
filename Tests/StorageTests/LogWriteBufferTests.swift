import StorageSQLite
import Testing

@Suite("Writes to the write-ahead log are gathered")
struct LogWriteBufferTests {
    private struct Written: Equatable {
        let offset: Int64
        let bytes: [UInt8]
    }

    /// A log whose writes are recorded, and refused while the disk is full.
    private struct Log: ~Copyable {
        private static let diskFull: Int32 = 13

        var buffer = LogWriteBuffer()
        var written: [Written] = []
        var isFull = false

        mutating func append(_ bytes: [UInt8], at offset: Int64) -> Int32 {
            var taken: [Written] = []
            let code = bytes.withUnsafeBytes { [isFull] in
                buffer.append($0, at: offset) { Self.take($0, $1, isFull, &taken) }
            }
            written += taken
            return code
        }

        mutating func flush() -> Int32 {
            var taken: [Written] = []
            let code = buffer.flush { [isFull] in Self.take($0, $1, isFull, &taken) }
            written += taken
            return code
        }

        private static func take(
            _ bytes: UnsafeRawBufferPointer, _ offset: Int64, _ isFull: Bool, _ taken: inout [Written]
        ) -> Int32 {
            if isFull { return diskFull }
            taken.append(Written(offset: offset, bytes: Array(bytes)))
            return 0
        }

        /// A frame as SQLite writes it: its header, then its page.
        mutating func frame(_ page: [UInt8], databasePages: UInt8, at offset: Int64) -> [Int32] {
            let header = Self.header(databasePages)
            return [append(header, at: offset), append(page, at: offset + Int64(header.count))]
        }

        static func header(_ databasePages: UInt8) -> [UInt8] {
            [0, 0, 0, 9, 0, 0, 0, databasePages] + [UInt8](repeating: 7, count: 16)
        }
    }

    @Test("A transaction's frames go together, and only once its last one is there")
    func together() {
        var log = Log()
        _ = log.append([UInt8](repeating: 1, count: 32), at: 0)
        log.written = []
        #expect(log.frame([1, 1, 1, 1], databasePages: 0, at: 32) == [0, 0])
        #expect(log.written.isEmpty)
        #expect(log.frame([2, 2, 2, 2], databasePages: 5, at: 60) == [0, 0])
        let all = Log.header(0) + [1, 1, 1, 1] + Log.header(5) + [2, 2, 2, 2]
        #expect(log.written == [Written(offset: 32, bytes: all)])
        // The next transaction is gathered by itself.
        #expect(log.frame([3, 3, 3, 3], databasePages: 0, at: 88) == [0, 0])
        #expect(log.written.count == 1)
        #expect(log.flush() == 0)
        #expect(log.written.last == Written(offset: 88, bytes: Log.header(0) + [3, 3, 3, 3]))
        #expect(log.flush() == 0)
        #expect(log.written.count == 2)
    }

    @Test("What mends an earlier place goes to the file at once, after what was gathered before it")
    func elsewhere() {
        var log = Log()
        _ = log.append([UInt8](repeating: 1, count: 32), at: 0)
        _ = log.frame([1, 1, 1, 1], databasePages: 0, at: 32)
        log.written = []
        #expect(log.append([8, 8, 8, 8], at: 56) == 0)
        let gathered = Written(offset: 32, bytes: Log.header(0) + [1, 1, 1, 1])
        #expect(log.written == [gathered, Written(offset: 56, bytes: [8, 8, 8, 8])])
        // Checksums are mended by headers alone: one that ends a transaction has no page behind it to wait for.
        #expect(log.append(Log.header(5), at: 32) == 0)
        #expect(log.written.last == Written(offset: 32, bytes: Log.header(5)))
        #expect(log.written.count == 3)
    }

    @Test("The first frame after opening goes at once, header and page, when it ends its transaction")
    func first() {
        var log = Log()
        #expect(log.frame([1, 1, 1, 1], databasePages: 3, at: 4152) == [0, 0])
        #expect(log.written.flatMap(\.bytes) == Log.header(3) + [1, 1, 1, 1])
        #expect(log.written.first?.offset == 4152)
    }

    @Test("More than is gathered at once goes in pieces that follow upon each other")
    func large() {
        var log = Log()
        let page = [UInt8](repeating: 4, count: 65_536)
        var (offset, all): (Int64, [UInt8]) = (0, [])
        for number in 1...7 {
            let end: UInt8 = number == 7 ? 9 : 0
            #expect(log.frame(page, databasePages: end, at: offset) == [0, 0])
            all += Log.header(end) + page
            offset += Int64(24 + page.count)
        }
        #expect(log.written.flatMap(\.bytes) == all)
        #expect(log.written.allSatisfy { $0.bytes.count <= LogWriteBuffer.capacity })
        var next: Int64 = 0
        for part in log.written {
            #expect(part.offset == next)
            next += Int64(part.bytes.count)
        }
    }

    @Test("A disk that refuses is told to the writer, and what it refused is not written later")
    func refused() {
        var log = Log()
        _ = log.append([UInt8](repeating: 1, count: 32), at: 0)
        log.written = []
        log.isFull = true
        #expect(log.frame([1, 1, 1, 1], databasePages: 5, at: 32) == [0, 13])
        log.isFull = false
        #expect(log.flush() == 0)
        #expect(log.written.isEmpty)
        #expect(log.frame([2, 2, 2, 2], databasePages: 5, at: 32) == [0, 0])
        #expect(log.written.flatMap(\.bytes) == Log.header(5) + [2, 2, 2, 2])
    }
}
