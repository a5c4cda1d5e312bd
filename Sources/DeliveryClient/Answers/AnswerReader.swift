/// Cuts the bytes of a connection into answers, one after the other. Pure: it is given bytes and ends.
///
/// Interim answers (1xx) are skipped. Of the body only the first bytes are kept, and everything that has no length of
/// its own on the wire (heads, chunk lines, trailers) is bounded.
struct AnswerReader: Sendable {
    enum Progress: Equatable {
        case more
        /// The kept part is full while more of the body is to come; told once.
        case full
        /// The answer is over. Bytes behind it belong to no request of ours.
        case ended(withLeftover: Bool)
        case failed(String)
    }

    private enum Stage: Equatable {
        case head
        case body(left: Int)
        case untilClose
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailers
        case over
    }

    /// All heads before the body together, interim ones included, and all trailers: common servers allow 8 to 32 KiB.
    static let headLimit = 32 << 10
    /// A chunk's size with its extensions, which nobody uses.
    private static let chunkLineLimit = 1 << 10
    /// The head of an answer is often that of the one before, byte by byte: a shorter one than this is remembered.
    private static let rememberedHeadLimit = 1 << 10

    private(set) var head: AnswerHead?
    /// The body's first bytes.
    private(set) var kept: [UInt8] = []
    /// Bytes of the body that have come, kept or not.
    private(set) var bodyBytes = 0

    private var stage = Stage.over
    private var held: [UInt8] = []
    private var headBytes = 0
    private(set) var isAfterHEAD = false
    private var keptLimit = 0
    private var isFullTold = false
    private var remembered: (bytes: [UInt8], head: AnswerHead)?

    /// Whether nothing of the present answer has come yet.
    var isUntouched: Bool { stage == .head && headBytes == 0 && held.isEmpty }

    /// Whether what is left of the body can be read within so many bytes, as far as one can tell.
    func mayDrain(within limit: Int) -> Bool {
        switch stage {
        case .body(let left): left <= limit
        case .untilClose: false
        default: true
        }
    }

    /// Makes ready for the next answer.
    mutating func expect(afterHEAD: Bool, keptLimit: Int) {
        head = nil
        kept = []
        bodyBytes = 0
        stage = .head
        held = []
        headBytes = 0
        isAfterHEAD = afterHEAD
        self.keptLimit = max(0, keptLimit)
        isFullTold = false
    }

    /// Takes in what has come.
    mutating func read(_ bytes: UnsafeRawBufferPointer) -> Progress {
        var rest = bytes[...]
        do throws(MalformedAnswer) {
            while stage != .over {
                guard try step(&rest) else { break }
            }
        } catch {
            stage = .over
            return .failed(error.words)
        }
        if stage == .over { return .ended(withLeftover: !rest.isEmpty) }
        if head != nil, kept.count == keptLimit, !isFullTold {
            isFullTold = true
            return .full
        }
        return .more
    }

    /// The peer has closed: that ends an answer without a length, and breaks any other off.
    mutating func end() -> Progress {
        defer { stage = .over }
        switch stage {
        case .untilClose, .over: return .ended(withLeftover: false)
        case .head: return .failed("the peer closed the connection before it had answered")
        default: return .failed("the peer closed the connection within the answer's body")
        }
    }

    /// Goes on by one stage; false when that needs more bytes.
    private mutating func step(_ rest: inout Slice<UnsafeRawBufferPointer>) throws(MalformedAnswer) -> Bool {
        switch stage {
        case .head:
            return try readHead(&rest)
        case .body(let left):
            let count = take(&rest, atMost: left)
            stage = count == left ? .over : .body(left: left - count)
            return count == left
        case .untilClose:
            _ = take(&rest, atMost: .max)
            return false
        case .chunkSize:
            guard let line = try takeLine(&rest, limit: AnswerReader.chunkLineLimit) else { return false }
            let size = try AnswerReader.chunkSize(line)
            stage = size == 0 ? .trailers : .chunk(left: size)
            headBytes = 0
            return true
        case .chunk(let left):
            let count = take(&rest, atMost: left)
            stage = count == left ? .chunkEnd : .chunk(left: left - count)
            return count == left
        case .chunkEnd:
            guard let line = try takeLine(&rest, limit: 2) else { return false }
            guard line.isEmpty else { throw MalformedAnswer("a chunk is longer than it says") }
            stage = .chunkSize
            return true
        case .trailers:
            guard let line = try takeLine(&rest, limit: AnswerReader.headLimit) else { return false }
            headBytes += line.count + 2
            guard headBytes <= AnswerReader.headLimit else { throw MalformedAnswer("the trailers are too long") }
            if line.isEmpty { stage = .over }
            return true
        case .over:
            return false
        }
    }

    private mutating func take(_ rest: inout Slice<UnsafeRawBufferPointer>, atMost most: Int) -> Int {
        let part = rest.prefix(most)
        let room = keptLimit - kept.count
        if room > 0 { kept += part.prefix(room) }
        bodyBytes += part.count
        rest = rest.dropFirst(part.count)
        return part.count
    }
}

// Heads and lines: what may be cut anywhere is held until its end has come.
extension AnswerReader {
    private mutating func readHead(_ rest: inout Slice<UnsafeRawBufferPointer>) throws(MalformedAnswer) -> Bool {
        let head: AnswerHead
        let length: Int
        if held.isEmpty, let end = AnswerReader.headEnd(in: UnsafeRawBufferPointer(rebasing: rest), from: 0) {
            length = end
            head = try headOf(UnsafeRawBufferPointer(rebasing: rest.prefix(end)))
            rest = rest.dropFirst(end)
        } else {
            guard !rest.isEmpty else { return false }
            let from = max(0, held.count - 3)
            held += rest
            guard let found = try heldHead(from: from) else {
                rest = rest.dropFirst(rest.count)
                guard headBytes + held.count <= AnswerReader.headLimit else {
                    throw MalformedAnswer("the head of the answer is too long")
                }
                return false
            }
            (length, head) = found
            rest = rest.suffix(held.count - length)
            held = []
        }
        headBytes += length
        guard headBytes <= AnswerReader.headLimit else { throw MalformedAnswer("the head of the answer is too long") }
        if head.isInterim { return true }
        self.head = head
        headBytes = 0
        switch head.framing(afterHEAD: isAfterHEAD) {
        case .length(0): stage = .over
        case .length(let length): stage = .body(left: length)
        case .chunked: stage = .chunkSize
        case .untilClose: stage = .untilClose
        }
        return true
    }

    /// The head that is held, and its length; nil while its end has not come.
    private mutating func heldHead(from: Int) throws(MalformedAnswer) -> (length: Int, head: AnswerHead)? {
        let bytes = held
        guard let end = bytes.withUnsafeBytes({ AnswerReader.headEnd(in: $0, from: from) }) else { return nil }
        let head = bytes.withUnsafeBytes { bytes in
            Result { () throws(MalformedAnswer) in try headOf(UnsafeRawBufferPointer(rebasing: bytes.prefix(end))) }
        }
        return (end, try head.get())
    }

    private mutating func headOf(_ bytes: UnsafeRawBufferPointer) throws(MalformedAnswer) -> AnswerHead {
        if let remembered, remembered.bytes.count == bytes.count, bytes.elementsEqual(remembered.bytes) {
            return remembered.head
        }
        let head = try AnswerHead(bytes)
        if bytes.count <= AnswerReader.rememberedHeadLimit { remembered = (Array(bytes), head) }
        return head
    }

    /// Where the head ends, its empty line included.
    private static func headEnd(in bytes: UnsafeRawBufferPointer, from: Int) -> Int? {
        var index = from
        while index < bytes.count {
            guard bytes[index] == lineFeed else {
                index += 1
                continue
            }
            if index + 1 < bytes.count, bytes[index + 1] == lineFeed { return index + 2 }
            if index + 2 < bytes.count, bytes[index + 1] == carriageReturn, bytes[index + 2] == lineFeed {
                return index + 3
            }
            index += 1
        }
        return nil
    }

    /// The next line without its end; nil while it is not there.
    private mutating func takeLine(
        _ rest: inout Slice<UnsafeRawBufferPointer>, limit: Int
    ) throws(MalformedAnswer) -> [UInt8]? {
        let end = rest.firstIndex(of: lineFeed)
        let part = rest[..<(end ?? rest.endIndex)]
        guard held.count + part.count <= limit else { throw MalformedAnswer("a line of the body is too long") }
        held += part
        guard let end else {
            rest = rest[rest.endIndex...]
            return nil
        }
        rest = rest[(end + 1)...]
        if held.last == carriageReturn { held.removeLast() }
        defer { held = [] }
        return held
    }

    private static func chunkSize(_ line: [UInt8]) throws(MalformedAnswer) -> Int {
        var size = 0
        var digits = 0
        for byte in line {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            case UInt8(ascii: ";"), UInt8(ascii: " "), UInt8(ascii: "\t"):
                guard digits > 0 else { throw MalformedAnswer("a chunk has no size") }
                return size
            default: throw MalformedAnswer("a chunk has no size")
            }
            digits += 1
            guard digits <= 15 else { throw MalformedAnswer("a chunk is too long") }
            size = size << 4 | Int(digit)
        }
        guard digits > 0 else { throw MalformedAnswer("a chunk has no size") }
        return size
    }
}

private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
