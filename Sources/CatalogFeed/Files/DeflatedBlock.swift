import CZlib

/// Compression in pieces: each piece is deflated by itself and ends at a whole byte, so that any row of them, closed by
/// `gzipClosing`, is one gzip member (RFC 1951, 1952) such as every reader takes.
enum DeflatedBlock {
    /// Level 4: measured on feeds, higher ones take twice the time for a tenth of the bytes.
    private static let level: Int32 = 4

    static let gzipOpening: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]

    /// What ends the member: an empty last block, the CRC of the plain bytes, and their number modulo 2^32.
    static func gzipClosing(crc: UInt32, count: Int) -> [UInt8] {
        var bytes: [UInt8] = [3, 0]
        for value in [crc, UInt32(truncatingIfNeeded: count)] {
            for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(value >> shift & 0xFF)) }
        }
        return bytes
    }

    /// Deflates bytes so that other blocks may follow.
    static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.isEmpty { return [] }
        var stream = z_stream()
        // Negative window bits ask for the bare form, without a header of its own.
        let begun = deflateInit2_(
            &stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(begun == Z_OK, "zlib takes these settings wherever it is of the version that was compiled against")
        defer { deflateEnd(&stream) }
        // Room for the worst case and for the mark that a full flush leaves.
        let room = Int(deflateBound(&stream, UInt(bytes.count))) + 16
        return [UInt8](unsafeUninitializedCapacity: room) { out, count in
            bytes.withUnsafeBufferPointer { input in
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = UInt32(input.count)
                stream.next_out = out.baseAddress
                stream.avail_out = UInt32(out.count)
                let ended = deflate(&stream, Z_FULL_FLUSH)
                precondition(ended == Z_OK && stream.avail_in == 0 && stream.avail_out > 0, "the bound holds")
            }
            count = room - Int(stream.avail_out)
        }
    }

    /// The CRC-32 of bytes.
    static func crc(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32(0, $0.baseAddress, UInt32($0.count))) }
    }

    /// The CRC-32 of two rows of bytes behind one another, from those of each.
    static func crc(_ first: UInt32, then second: UInt32, count: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), count))
    }
}
