/// Reads a stream of server-sent events (HTML Standard, 9.2) as its bytes come, cut anywhere. Pure.
struct ServerSentEvents {
    /// What an empty line has ended.
    struct Item: Equatable {
        /// The cursor from now on; nil while none was ever told.
        var id: String?
        /// Nil where only the cursor moved.
        var data: String?
    }

    /// A line or an event that is longer than anything that a hub sends.
    struct TooLong: Error, CustomStringConvertible {
        let description = "the stream holds an event of more than \(ServerSentEvents.bytesMost) bytes"
    }

    private static let bytesMost = 16 << 20

    private var line: [UInt8] = []
    private var data: [UInt8]?
    private var id: String?
    private var sawID = false
    private var endedWithReturn = false
    private var isAtStart = true

    /// The events that these bytes complete.
    mutating func take(_ bytes: some Sequence<UInt8>) throws -> [Item] {
        var items: [Item] = []
        for byte in bytes {
            // A line feed behind a carriage return belongs to it, also when it comes with the next bytes.
            let isSecondHalf = byte == 10 && endedWithReturn
            endedWithReturn = byte == 13
            if isSecondHalf { continue }
            if byte == 10 || byte == 13 {
                if let item = endLine() { items.append(item) }
            } else {
                line.append(byte)
                if line.count > Self.bytesMost { throw TooLong() }
            }
        }
        if data?.count ?? 0 > Self.bytesMost { throw TooLong() }
        return items
    }

    private mutating func endLine() -> Item? {
        defer { line.removeAll(keepingCapacity: true) }
        if isAtStart, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        isAtStart = false
        if line.isEmpty { return endItem() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            if data != nil { data?.append(10) }
            data = (data ?? []) + value
        case "id" where !value.contains(0):
            id = String(decoding: value, as: UTF8.self)
            sawID = true
        default: break  // a comment (its name is empty), or a field that means nothing to a hub's reader
        }
        return nil
    }

    private mutating func endItem() -> Item? {
        defer {
            data = nil
            sawID = false
        }
        if data == nil, !sawID { return nil }
        return Item(id: id, data: data.map { String(decoding: $0, as: UTF8.self) })
    }
}
