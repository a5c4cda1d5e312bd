import Kernel

/// One record of a CSV text, or one line: its cells' bytes without quotes, and where it stood.
struct Record: Sendable, Equatable {
    enum Fault: Sendable, Equatable {
        /// Something other than a delimiter stands behind a closing quote.
        case strayQuote
        /// A quote was opened and never closed.
        case openQuote
        case tooLong(Int)

        var reason: String {
            switch self {
            case .strayQuote: "broken quotes: something stands between a closing quote and the next delimiter"
            case .openQuote: "broken quotes: a quote is opened and never closed"
            case .tooLong(let limit): "is longer than \(limit) bytes"
            }
        }
    }

    /// Of its first line, counted from one.
    let line: Int
    /// Of its first byte in the file.
    let offset: Int
    private let bytes: [UInt8]
    private let ends: [Int]
    let fault: Fault?

    init(line: Int, offset: Int, bytes: [UInt8], ends: [Int], fault: Fault? = nil) {
        self.line = line
        self.offset = offset
        self.bytes = bytes
        self.ends = ends
        self.fault = fault
    }

    var count: Int { ends.count }
    var isBlank: Bool { fault == nil && bytes.isEmpty && ends.count <= 1 }

    /// The bytes of a cell; none for one that is missing.
    func cell(_ index: Int) -> ArraySlice<UInt8> {
        guard index < ends.count else { return [] }
        return bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }
}

/// Cuts bytes into records as they come in, in whatever pieces. Pure: it holds the one record that is not whole yet.
///
/// CSV is that of RFC 4180, with any of LF, CRLF and CR between records. Where quotes are broken, the record is told
/// as faulty and reading goes on behind its first line, so that one bad line can't swallow the file.
struct RecordParser: Sendable {
    enum Grammar: Sendable, Equatable {
        case csv(delimiter: UInt8)
        case lines
    }

    private enum Step {
        case record(bytes: [UInt8], ends: [Int], fault: Record.Fault?, consumed: Int, lines: Int)
        case needsMore
    }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D

    private let grammar: Grammar
    private let limit: Int
    private var buffer: [UInt8] = []
    private var at = 0
    private var isLast = false
    /// Whether the rest of a line that is too long is still to be passed over.
    private var isSkipping = false
    /// Of the next record.
    private(set) var offset: Int
    private(set) var line: Int

    /// - Parameters:
    ///   - offset: where the first byte that is fed stands in the file.
    ///   - limit: bytes of one record at the most.
    init(_ grammar: Grammar, offset: Int = 0, line: Int = 1, limit: Int = Limits.importRecordBytes) {
        self.grammar = grammar
        self.limit = limit
        self.offset = offset
        self.line = line
    }

    mutating func feed(_ more: some Sequence<UInt8>) {
        buffer.removeFirst(at)
        at = 0
        buffer.append(contentsOf: more)
    }

    /// Says that no more comes: what is left is the last record.
    mutating func finish() { isLast = true }

    /// The next whole record; nil when more has to be fed first, or at the end.
    mutating func next() -> Record? {
        if isSkipping, !skipLine() { return nil }
        guard at < buffer.count else { return nil }
        let step = buffer[at...].withUnsafeBufferPointer { bytes in
            switch grammar {
            case .csv(let delimiter): self.record(bytes, delimiter)
            case .lines: self.wholeLine(bytes)
            }
        }
        guard case .record(let bytes, let ends, let fault, let consumed, let lines) = step else { return nil }
        let record = Record(line: line, offset: offset, bytes: bytes, ends: ends, fault: fault)
        at += consumed
        offset += consumed
        line += lines
        if lines == 0, !isLast { isSkipping = true }
        return record
    }

    /// Passes over the rest of a line; false when its end has not come yet.
    private mutating func skipLine() -> Bool {
        let rest = buffer[at...]
        let found = rest.withUnsafeBufferPointer { self.lineEnd($0) }
        let count = found ?? rest.count
        at += count
        offset += count
        guard found != nil else { return false }
        line += 1
        isSkipping = false
        return true
    }

    // MARK: Grammar

    /// How many bytes there are up to the end of the first line, its break included; nil when the break isn't there.
    private func lineEnd(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let index = bytes.firstIndex(where: { $0 == Self.lineFeed || $0 == Self.carriageReturn }) else {
            return nil
        }
        if bytes[index] == Self.lineFeed { return index + 1 }
        if index + 1 < bytes.count { return bytes[index + 1] == Self.lineFeed ? index + 2 : index + 1 }
        return isLast ? index + 1 : nil
    }

    private func broken(_ fault: Record.Fault, _ bytes: UnsafeBufferPointer<UInt8>) -> Step {
        if let end = lineEnd(bytes) { return .record(bytes: [], ends: [], fault: fault, consumed: end, lines: 1) }
        if !isLast, bytes.count <= limit { return .needsMore }
        // No break so far: the rest of the line is passed over as it comes.
        return .record(bytes: [], ends: [], fault: fault, consumed: bytes.count, lines: 0)
    }

    private func incomplete(_ bytes: UnsafeBufferPointer<UInt8>) -> Step {
        bytes.count > limit ? broken(.tooLong(limit), bytes) : .needsMore
    }

    private func wholeLine(_ bytes: UnsafeBufferPointer<UInt8>) -> Step {
        guard let index = bytes.firstIndex(of: Self.lineFeed) else {
            if !isLast { return incomplete(bytes) }
            if bytes.count > limit { return broken(.tooLong(limit), bytes) }
            return .record(
                bytes: Array(bytes), ends: [bytes.count], fault: nil, consumed: bytes.count, lines: 1)
        }
        if index > limit { return broken(.tooLong(limit), bytes) }
        let end = index > 0 && bytes[index - 1] == Self.carriageReturn ? index - 1 : index
        return .record(bytes: Array(bytes[..<end]), ends: [end], fault: nil, consumed: index + 1, lines: 1)
    }

    private func record(_ bytes: UnsafeBufferPointer<UInt8>, _ delimiter: UInt8) -> Step {
        var cells: [UInt8] = []
        var ends: [Int] = []
        var index = 0
        var lines = 1
        while true {
            if index < bytes.count, bytes[index] == Self.quote {
                switch quoted(bytes, from: index + 1, into: &cells, &lines) {
                case .more: return isLast ? broken(.openQuote, bytes) : incomplete(bytes)
                case .closed(let next): index = next
                }
                if index < bytes.count, !isEnd(bytes[index], delimiter) { return broken(.strayQuote, bytes) }
            } else {
                let start = index
                while index < bytes.count, !isEnd(bytes[index], delimiter) { index += 1 }
                cells.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index]))
            }
            if index > limit { return broken(.tooLong(limit), bytes) }
            if index == bytes.count, !isLast { return incomplete(bytes) }
            ends.append(cells.count)
            if index == bytes.count {
                return .record(bytes: cells, ends: ends, fault: nil, consumed: index, lines: lines)
            }
            if bytes[index] == delimiter {
                index += 1
                continue
            }
            let rest = UnsafeBufferPointer(rebasing: bytes[index...])
            guard let count = lineEnd(rest) else { return .needsMore }
            return .record(bytes: cells, ends: ends, fault: nil, consumed: index + count, lines: lines)
        }
    }

    private func isEnd(_ byte: UInt8, _ delimiter: UInt8) -> Bool {
        byte == delimiter || byte == Self.lineFeed || byte == Self.carriageReturn
    }

    private enum Quoted {
        case closed(Int)
        case more
    }

    /// Copies the inside of a quoted cell; double quotes stand for one.
    private func quoted(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, into cells: inout [UInt8], _ lines: inout Int
    ) -> Quoted {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte == Self.quote {
                if index + 1 == bytes.count, !isLast { return .more }
                guard index + 1 < bytes.count, bytes[index + 1] == Self.quote else { return .closed(index + 1) }
                index += 1
            } else if byte == Self.carriageReturn {
                if index + 1 == bytes.count, !isLast { return .more }
                if index + 1 == bytes.count || bytes[index + 1] != Self.lineFeed { lines += 1 }
            } else if byte == Self.lineFeed {
                lines += 1
            }
            cells.append(bytes[index])
            index += 1
        }
        return .more
    }
}
