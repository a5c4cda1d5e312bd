/// Walks over JSON bytes: the grammar of RFC 8259, UTF-8 included, with a bound on nesting.
///
/// It either builds a tree (`value`) or only checks and steps over a value (`skip`), which is what the intake path does
/// with everything but the two or three members that it needs.
struct JSONReader {
    let bytes: UnsafeBufferPointer<UInt8>
    var at = 0
    private let depthLimit: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, depthLimit: Int = Limits.jsonDepth) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    func fail(_ fault: JSONSyntaxError.Fault, at offset: Int? = nil) -> JSONSyntaxError {
        JSONSyntaxError(fault: fault, offset: offset ?? at)
    }

    mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    /// The next byte that is no white space, not yet taken.
    mutating func peek() throws(JSONSyntaxError) -> UInt8 {
        skipSpace()
        guard at < bytes.count else { throw fail(.cutOff) }
        return bytes[at]
    }

    mutating func expect(_ byte: UInt8) throws(JSONSyntaxError) {
        let found = try peek()
        guard found == byte else { throw fail(.unexpected(found)) }
        at += 1
    }

    mutating func expectEnd() throws(JSONSyntaxError) {
        skipSpace()
        if at < bytes.count { throw fail(.trailing) }
    }

    // MARK: Building

    mutating func value(depth: Int = 0) throws(JSONSyntaxError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
            try word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        default:
            let range = try number()
            return .number(String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self))
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONObject {
        if depth > depthLimit { throw fail(.tooDeep(depthLimit)) }
        at += 1
        var members: [JSONObject.Member] = []
        if try peek() == UInt8(ascii: "}") {
            at += 1
            return .empty
        }
        while true {
            let start = at
            guard try peek() == UInt8(ascii: "\"") else { throw fail(.unexpected(bytes[at])) }
            let name = try string()
            try expect(UInt8(ascii: ":"))
            let value = try value(depth: depth)
            members.append(JSONObject.Member(name: name, value: value))
            guard try closesOrContinues(UInt8(ascii: "}")) else { continue }
            if let twice = duplicate(in: members) { throw fail(.duplicateName(twice), at: start) }
            return JSONObject(members: members)
        }
    }

    /// A name that stands twice, by its bytes: two spellings of one accented letter are two names (RFC 8259, 8.3).
    ///
    /// Few members are compared pairwise; many go through a set, so that a hundred thousand names stay linear.
    private func duplicate(in members: [JSONObject.Member]) -> String? {
        if members.count <= 16 {
            for index in members.indices.dropFirst() {
                let name = members[index].name
                // Strings first: they compare fast, and are equal whenever their bytes are.
                for other in members[..<index] where other.name == name && NameBytes(other.name) == NameBytes(name) {
                    return name
                }
            }
            return nil
        }
        var seen = Set<NameBytes>(minimumCapacity: members.count)
        for member in members where !seen.insert(NameBytes(member.name)).inserted { return member.name }
        return nil
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
        if depth > depthLimit { throw fail(.tooDeep(depthLimit)) }
        at += 1
        var items: [JSONValue] = []
        if try peek() == UInt8(ascii: "]") {
            at += 1
            return items
        }
        while true {
            items.append(try value(depth: depth))
            if try closesOrContinues(UInt8(ascii: "]")) { return items }
        }
    }

    /// Takes the closing byte (true) or the comma before a further element (false).
    mutating func closesOrContinues(_ close: UInt8) throws(JSONSyntaxError) -> Bool {
        let next = try peek()
        guard next == close || next == UInt8(ascii: ",") else { throw fail(.unexpected(next)) }
        at += 1
        return next == close
    }

    // MARK: Stepping over

    /// Checks one value and steps over it without recursion, so that no input can exhaust the stack.
    ///
    /// `depth` is the number of containers that are open around it.
    mutating func skip(depth: Int = 0) throws(JSONSyntaxError) {
        var closers: [UInt8] = []
        while true {
            switch try peek() {
            case UInt8(ascii: "{"):
                if depth + closers.count >= depthLimit { throw fail(.tooDeep(depthLimit)) }
                at += 1
                if try peek() == UInt8(ascii: "}") {
                    at += 1
                } else {
                    closers.append(UInt8(ascii: "}"))
                    try skipName()
                    continue
                }
            case UInt8(ascii: "["):
                if depth + closers.count >= depthLimit { throw fail(.tooDeep(depthLimit)) }
                at += 1
                if try peek() == UInt8(ascii: "]") {
                    at += 1
                } else {
                    closers.append(UInt8(ascii: "]"))
                    continue
                }
            case UInt8(ascii: "\""): _ = try stringRange()
            case UInt8(ascii: "t"): try word("true")
            case UInt8(ascii: "f"): try word("false")
            case UInt8(ascii: "n"): try word("null")
            default: _ = try number()
            }
            while let close = closers.last {
                guard try closesOrContinues(close) else { break }
                closers.removeLast()
            }
            if closers.isEmpty { return }
            if closers.last == UInt8(ascii: "}") { try skipName() }
        }
    }

    private mutating func skipName() throws(JSONSyntaxError) {
        let next = try peek()
        guard next == UInt8(ascii: "\"") else { throw fail(.unexpected(next)) }
        _ = try stringRange()
        try expect(UInt8(ascii: ":"))
    }

    // MARK: Scalars

    mutating func word(_ word: StaticString) throws(JSONSyntaxError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard at < bytes.count else { throw fail(.cutOff) }
            guard bytes[at] == word.utf8Start[index] else { throw fail(.unexpected(bytes[at])) }
            at += 1
        }
    }

    mutating func number() throws(JSONSyntaxError) -> Range<Int> {
        let start = at
        func digits(_ reader: inout JSONReader) -> Int {
            let first = reader.at
            while reader.at < reader.bytes.count, (48...57).contains(reader.bytes[reader.at]) { reader.at += 1 }
            return reader.at - first
        }
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        let whole = at
        let count = digits(&self)
        if count == 0 { throw at == start && at < bytes.count ? fail(.unexpected(bytes[at])) : fail(.badNumber) }
        if count > 1 && bytes[whole] == 48 { throw fail(.badNumber, at: whole) }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            if digits(&self) == 0 { throw fail(.badNumber) }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            if digits(&self) == 0 { throw fail(.badNumber) }
        }
        return start..<at
    }
}

/// A name that is equal to another only when its bytes are; Swift's texts are equal when they look the same.
private struct NameBytes: Hashable {
    private let name: String

    init(_ name: String) { self.name = name }

    static func == (a: NameBytes, b: NameBytes) -> Bool { a.name.utf8.elementsEqual(b.name.utf8) }

    func hash(into hasher: inout Hasher) {
        var name = name
        name.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
