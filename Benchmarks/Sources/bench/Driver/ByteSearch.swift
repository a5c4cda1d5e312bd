import Glibc

/// Where a short text occurs in a payload, without parsing the payload.
enum ByteSearch {
    /// The offset behind the first occurrence of `text` at or after `start`.
    static func end(of text: StaticString, in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        let size = text.utf8CodeUnitCount
        guard let base = bytes.baseAddress else { return nil }
        var at = start
        while at + size <= bytes.count {
            guard let hit = memchr(base + at, Int32(text.utf8Start[0]), bytes.count - size - at + 1) else { return nil }
            let offset = UnsafeRawPointer(hit) - base
            if memcmp(hit, text.utf8Start, size) == 0 { return offset + size }
            at = offset + 1
        }
        return nil
    }

    static func count(of text: StaticString, in bytes: UnsafeRawBufferPointer) -> Int {
        var found = 0
        var at = 0
        while let end = end(of: text, in: bytes, from: at) {
            found += 1
            at = end
        }
        return found
    }

    /// The JSON string that follows `name` (given with quotes and colon), as it stands between its quotes.
    static func string(after name: StaticString, in bytes: UnsafeRawBufferPointer) -> String? {
        guard var start = end(of: name, in: bytes) else { return nil }
        while start < bytes.count, bytes[start] == 32 { start += 1 }
        guard start < bytes.count, bytes[start] == UInt8(ascii: "\"") else { return nil }
        let rest = bytes[(start + 1)...]
        guard let quote = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        return String(decoding: rest[..<quote], as: UTF8.self)
    }
}
