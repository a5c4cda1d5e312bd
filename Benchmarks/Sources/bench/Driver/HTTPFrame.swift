import Glibc

/// One HTTP/1.1 request or response at the start of a buffer, as far as a load driver must understand it.
///
/// Only lengths by `Content-Length` are known: neither the server's answers nor its deliveries are chunked, and a
/// full parser would cost the server, which shares the machine, more than it tells.
struct HTTPFrame {
    /// The status of a response; 0 for a request.
    let status: Int
    let headLength: Int
    let bodyLength: Int

    var length: Int { headLength + bodyLength }

    enum Scan {
        case incomplete
        case frame(HTTPFrame)
        case malformed
    }

    static func scan(_ bytes: UnsafeRawBufferPointer) -> Scan {
        var status = 0
        var bodyLength = 0
        var lineStart = 0
        while lineStart < bytes.count, let base = bytes.baseAddress {
            guard let newline = memchr(base + lineStart, 10, bytes.count - lineStart) else { return .incomplete }
            let lineEnd = UnsafeRawPointer(newline) - base
            let line = UnsafeRawBufferPointer(rebasing: bytes[lineStart..<lineEnd])
            if line.count <= 1 {
                let frame = HTTPFrame(status: status, headLength: lineEnd + 1, bodyLength: bodyLength)
                return frame.length <= bytes.count ? .frame(frame) : .incomplete
            }
            if lineStart == 0 {
                status = responseStatus(line)
            } else if let value = value(of: contentLength, in: line) {
                guard let length = number(value) else { return .malformed }
                bodyLength = length
            } else if value(of: transferEncoding, in: line) != nil {
                return .malformed
            }
            lineStart = lineEnd + 1
        }
        return .incomplete
    }

    /// The value of a field in a head; `name` in lower case with its colon.
    static func field(_ name: StaticString, in head: UnsafeRawBufferPointer) -> String? {
        for line in head.split(separator: 10).dropFirst() {
            let line = UnsafeRawBufferPointer(rebasing: line)
            if let value = value(of: name, in: line) { return String(decoding: value, as: UTF8.self) }
        }
        return nil
    }

    private static let contentLength: StaticString = "content-length:"
    private static let transferEncoding: StaticString = "transfer-encoding:"

    private static func value(of name: StaticString, in line: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>?
    {
        let size = name.utf8CodeUnitCount
        guard line.count > size, let base = line.baseAddress, strncasecmp(base, name.utf8Start, size) == 0 else {
            return nil
        }
        var value = line[size...]
        while let first = value.first, first == 32 { value = value.dropFirst() }
        while let last = value.last, last == 13 || last == 32 { value = value.dropLast() }
        return value
    }

    private static func strncasecmp(_ line: UnsafeRawPointer, _ name: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
        Glibc.strncasecmp(
            line.assumingMemoryBound(to: CChar.self), UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self), size)
    }

    /// The three digits behind `HTTP/1.1 `.
    private static func responseStatus(_ line: UnsafeRawBufferPointer) -> Int {
        guard line.count >= 12, line[0] == UInt8(ascii: "H"), line[8] == 32 else { return 0 }
        return number(line[9..<12]) ?? 0
    }

    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        var value = 0
        for digit in digits {
            guard digit >= 48, digit <= 57, value < 1 << 40 else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return digits.isEmpty ? nil : value
    }
}
