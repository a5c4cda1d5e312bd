extension JSONValue {
    /// Parses a whole JSON text.
    package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        if bytes.isEmpty { throw JSONSyntaxError(fault: .empty, offset: 0) }
        self = try withBuffer(bytes) { (buffer) throws(JSONSyntaxError) in
            var reader = JSONReader(buffer)
            let value = try reader.value()
            try reader.expectEnd()
            return value
        }
    }
}

/// Picks a few members out of a JSON object without building a tree: the whole text is checked, the rest stays bytes.
package struct JSONScan: Sendable {
    /// One picked member: its bytes' place in the text, and its text when it is a JSON string.
    package struct Member: Sendable {
        package let range: Range<Int>
        package let string: String?
    }

    private let members: [Member?]

    /// Scans an object for the top-level `names`; a picked name that stands twice is an error, as RFC 8259 advises.
    package init(_ bytes: [UInt8], for names: [StaticString]) throws(JSONSyntaxError) {
        if bytes.isEmpty { throw JSONSyntaxError(fault: .empty, offset: 0) }
        members = try withBuffer(bytes) { (buffer) throws(JSONSyntaxError) in
            var reader = JSONReader(buffer)
            var found = [Member?](repeating: nil, count: names.count)
            guard try reader.peek() == UInt8(ascii: "{") else {
                try reader.skip()
                try reader.expectEnd()
                throw reader.fail(.notAnObject, at: 0)
            }
            reader.at += 1
            if try reader.peek() == UInt8(ascii: "}") {
                reader.at += 1
                try reader.expectEnd()
                return found
            }
            repeat {
                try JSONScan.member(&reader, names, &found)
            } while try !reader.closesOrContinues(UInt8(ascii: "}"))
            try reader.expectEnd()
            return found
        }
    }

    private static func member(
        _ reader: inout JSONReader, _ names: [StaticString], _ found: inout [Member?]
    ) throws(JSONSyntaxError) {
        let next = try reader.peek()
        guard next == UInt8(ascii: "\"") else { throw reader.fail(.unexpected(next)) }
        let nameStart = reader.at
        let index = try index(of: names, takenBy: &reader)
        try reader.expect(UInt8(ascii: ":"))
        let first = try reader.peek()
        let start = reader.at
        guard let index else { return try reader.skip(depth: 1) }
        if found[index] != nil { throw reader.fail(.duplicateName(names[index].description), at: nameStart) }
        var string: String?
        if first == UInt8(ascii: "\"") { string = try reader.string() } else { try reader.skip(depth: 1) }
        found[index] = Member(range: start..<reader.at, string: string)
    }

    /// Takes a member's name and looks it up by its bytes; only a name with escapes is decoded for that.
    private static func index(
        of names: [StaticString], takenBy reader: inout JSONReader
    ) throws(JSONSyntaxError) -> Int? {
        let start = reader.at
        let (range, hasEscape) = try reader.stringRange()
        if hasEscape {
            reader.at = start
            let name = try reader.string()
            return names.firstIndex { $0.description == name }
        }
        let bytes = UnsafeBufferPointer(rebasing: reader.bytes[range])
        return names.firstIndex { name in
            name.utf8CodeUnitCount == bytes.count
                && bytes.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: bytes.count))
        }
    }

    /// The member with the name at that place of the list given to `init`.
    package subscript(index: Int) -> Member? { members[index] }
}

private func withBuffer<T>(
    _ bytes: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) throws(JSONSyntaxError) -> T
) throws(JSONSyntaxError) -> T {
    let result: Result<T, JSONSyntaxError> = bytes.withUnsafeBufferPointer { buffer in
        do throws(JSONSyntaxError) { return .success(try body(buffer)) } catch { return .failure(error) }
    }
    return try result.get()
}
