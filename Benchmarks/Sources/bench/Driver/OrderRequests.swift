import Crypto
import Glibc
import NIOCore

/// Signed order requests as they go over the wire, most of them made before the clock starts.
///
/// Every request has the same length: only the order's number and the signature differ. The order's id is
/// `ord-<run>-<nine digits>`, so that a delivery's payload tells which request it came from.
final class OrderRequests: RequestSource, @unchecked Sendable {
    let length: Int
    let bodyLength: Int
    private let isUnique: Bool
    private let prepared: UnsafeMutableRawBufferPointer
    private let preparedCount: Int
    private let template: Template

    /// - Parameters:
    ///   - prepared: how many to make in advance; later ones are made as they are sent.
    ///   - isUnique: false lets a floor that keeps nothing send the prepared ones over and over.
    init(_ order: OrderShape, path: String, prepared count: Int, isUnique: Bool = true) {
        template = Template(order, path: path)
        length = template.head.count + template.body.count
        bodyLength = template.body.count
        self.isUnique = isUnique
        preparedCount = count
        prepared = .allocate(byteCount: max(1, count * length), alignment: 16)
        for number in 0..<count {
            template.write(number, to: UnsafeMutableRawBufferPointer(rebasing: prepared[(number * length)...]))
        }
    }

    deinit { prepared.deallocate() }

    /// Replaces the buffer's content by request `number`.
    func write(_ number: Int, into buffer: inout ByteBuffer) {
        buffer.clear()
        let slot = isUnique ? number : number % max(1, preparedCount)
        if slot < preparedCount {
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: prepared[(slot * length)..<((slot + 1) * length)]))
        } else {
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { out in
                template.write(number, to: out)
                return length
            }
        }
    }

    /// The number of the order that a delivered payload tells of; nil for an order of another run.
    static func number(in payload: UnsafeRawBufferPointer, run: [UInt8]) -> Int? {
        guard let start = ByteSearch.end(of: "\"external_id\":", in: payload) else { return nil }
        guard let prefix = ByteSearch.end(of: "ord-", in: payload, from: start), prefix - start < 8 else { return nil }
        guard prefix + run.count + 10 <= payload.count else { return nil }
        for (offset, byte) in run.enumerated() where payload[prefix + offset] != byte { return nil }
        var number = 0
        for digit in payload[(prefix + run.count + 1)..<(prefix + run.count + 10)] {
            guard digit >= 48, digit <= 57 else { return nil }
            number = number * 10 + Int(digit - 48)
        }
        return number
    }
}

/// What an order of a run says and with whose secret it is signed.
struct OrderShape {
    let connection: String
    let secret: String
    let sku: String
    /// Eight characters that no other run on the same store uses.
    let run: String

    func body(number: String) -> String {
        """
        {"connection_id":"\(connection)","event":"accounting.order.created","data":{"id":"ord-\(run)-\(number)",\
        "currency":"USD","status":"paid","created_at":"2026-01-15T09:30:00.000Z",\
        "updated_at":"2026-01-15T09:30:00.000Z",\
        "customer":{"id":"cus-8812","name":"Jo Field","email":"jo.field@example.com"},\
        "line_items":[{"item_id":"it-42","sku":"\(sku)","name":"Boots, brown, 42","quantity":1,"unit_amount":149.99},\
        {"item_id":"it-43","sku":"\(sku)","name":"Boots, brown, 43","quantity":2,"unit_amount":139.50}],\
        "shipping_amount":9.90,"tax_amount":0.00,"discount_amount":0.00,"total_amount":438.89,\
        "shipping_address":{"line1":"12 Harbour Street","city":"Leith","postal_code":"EH6 6JJ","country_code":"GB"}}}
        """
    }
}

private struct Template: Sendable {
    let head: [UInt8]
    let body: [UInt8]
    private let signatureOffset: Int
    private let numberOffset: Int
    private let key: SymmetricKey

    init(_ order: OrderShape, path: String) {
        body = Array(order.body(number: "000000000").utf8)
        let before = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Unified-Signature: "
        let blank = String(repeating: "0", count: 64)
        let after = "\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        head = Array((before + blank + after).utf8)
        signatureOffset = before.utf8.count
        let marker = "ord-\(order.run)-"
        numberOffset =
            body.withUnsafeBytes { bytes in
                ByteSearch.end(of: "\"data\":{\"id\":\"", in: bytes) ?? 0
            } + marker.utf8.count
        key = SymmetricKey(data: Array(order.secret.utf8))
    }

    func write(_ number: Int, to out: UnsafeMutableRawBufferPointer) {
        var body = body
        var rest = number
        for offset in stride(from: numberOffset + 8, through: numberOffset, by: -1) {
            body[offset] = UInt8(48 + rest % 10)
            rest /= 10
        }
        out.copyBytes(from: head)
        UnsafeMutableRawBufferPointer(rebasing: out[head.count...]).copyBytes(from: body)
        var at = signatureOffset
        for byte in HMAC<SHA256>.authenticationCode(for: body, using: key) {
            out[at] = hexDigits[Int(byte >> 4)]
            out[at + 1] = hexDigits[Int(byte & 15)]
            at += 2
        }
    }
}

private let hexDigits = Array("0123456789abcdef".utf8)
