/// Finds functions, initializers, subscripts and computed properties in code without comments and texts, with the lines
/// from the keyword to the closing brace.
struct FunctionMeasure {
    struct Function: Sendable, Equatable {
        let name: String
        let line: Int
        let lines: Int
    }

    private let bytes: [UInt8]
    private(set) var functions: [Function] = []

    init(_ code: [String]) {
        bytes = Array(code.joined(separator: "\n").utf8)
        var line = 1
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\n") { line += 1 }
            guard FunctionMeasure.isWord(bytes[at]) else {
                at += 1
                continue
            }
            let start = at
            while at < bytes.count, FunctionMeasure.isWord(bytes[at]) { at += 1 }
            let keyword = String(decoding: bytes[start..<at], as: UTF8.self)
            guard ["func", "init", "subscript", "deinit", "var"].contains(keyword) else { continue }
            if start > 0, bytes[start - 1] == UInt8(ascii: ".") || bytes[start - 1] == UInt8(ascii: "`") { continue }
            guard let open = body(from: at, isProperty: keyword == "var") else { continue }
            functions.append(
                Function(name: name(of: keyword, from: at), line: line, lines: 1 + lineBreaks(from: at, closing: open)))
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
            || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private func name(of keyword: String, from: Int) -> String {
        let rest = bytes[from...].drop { $0 == UInt8(ascii: " ") }.prefix { FunctionMeasure.isWord($0) }
        return ["func", "var"].contains(keyword) && !rest.isEmpty ? String(decoding: rest, as: UTF8.self) : keyword
    }

    /// The opening brace of the body; nil for a requirement of a protocol and for a stored property.
    private func body(from start: Int, isProperty: Bool) -> Int? {
        var depth = 0
        for at in start..<bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return at
            case UInt8(ascii: "}") where depth == 0: return nil
            case UInt8(ascii: "=") where depth == 0 && isProperty: return nil
            case UInt8(ascii: "\n") where depth == 0:
                if isProperty || !continues(at + 1) { return nil }
            default: break
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    /// Whether the line from `start` belongs to the signature before it.
    private func continues(_ start: Int) -> Bool {
        let line = bytes[start...].drop { $0 == UInt8(ascii: " ") }.prefix { $0 != UInt8(ascii: "\n") }
        return ["{", "where ", "->", "async", "throws", "rethrows", ")"].contains { line.starts(with: $0.utf8) }
    }

    private func lineBreaks(from start: Int, closing open: Int) -> Int {
        var depth = 0
        var breaks = bytes[start..<open].count { $0 == UInt8(ascii: "\n") }
        for at in open..<bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { return breaks }
            case UInt8(ascii: "\n"): breaks += 1
            default: break
            }
        }
        return breaks
    }
}
