/// The identifier of one row, typed by what it identifies: 128 bits, UUIDv7 (RFC 9562) when made by us.
///
/// Text form is the lower-case UUID. The feed shows the same bits as a ULID, and every parser accepts both.
///
/// What dictionaries and sets call is inlinable: called through the generic type from another module, each comparison
/// would ask the runtime for the type first.
package struct ID<Kind>: Hashable, Sendable, Comparable {
    package let high: UInt64
    package let low: UInt64

    @inlinable
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The all-zero UUID, which stands for "the system itself" where an actor is asked for.
    @inlinable
    package static var zero: ID { ID(high: 0, low: 0) }

    @inlinable
    package static func == (a: ID, b: ID) -> Bool { a.high == b.high && a.low == b.low }

    @inlinable
    package static func < (a: ID, b: ID) -> Bool { (a.high, a.low) < (b.high, b.low) }

    @inlinable
    package func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
    }

    /// The same bits under another type, for the few places where one row shares the id of another.
    @inlinable
    package func cast<Other>(to _: Other.Type = Other.self) -> ID<Other> { ID<Other>(high: high, low: low) }

    /// Milliseconds since 1970 that a UUIDv7 carries in its first 48 bits.
    package var time: Timestamp { Timestamp(milliseconds: Int64(high >> 16)) }
}

package enum Tenant {}
package enum Organisation {}
package enum User {}
package typealias TenantID = ID<Tenant>
package typealias OrganisationID = ID<Organisation>
package typealias UserID = ID<User>

// MARK: - Text

extension ID: CustomStringConvertible {
    @inlinable
    package var description: String { IDText.string(high, low) }

    /// The 26 Crockford base-32 characters of the same 128 bits (the ULID specification's text form).
    package var ulid: String {
        String(unsafeUninitializedCapacity: 26) { out in
            for index in 0..<26 {
                let shift = 125 - 5 * index
                out[index] = crockford[Int(bits(at: shift))]
            }
            return 26
        }
    }

    /// Reads a UUID in either case or a ULID; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let utf8 = Array(text.utf8)
        switch utf8.count {
        case 36: self.init(uuid: utf8)
        case 26: self.init(ulid: utf8)
        default: return nil
        }
    }

    private init?(uuid: [UInt8]) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        for (index, character) in uuid.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard character == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let value = hexValue(character) else { return nil }
            if digits < 16 { high = high << 4 | UInt64(value) } else { low = low << 4 | UInt64(value) }
            digits += 1
        }
        self.init(high: high, low: low)
    }

    private init?(ulid: [UInt8]) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, character) in ulid.enumerated() {
            let upper = character >= UInt8(ascii: "a") ? character & 0xDF : character
            guard let value = crockford.firstIndex(of: upper) else { return nil }
            // 26 characters hold 130 bits; the first may only use three of its five.
            if index == 0 && value > 7 { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        self.init(high: high, low: low)
    }

    private func bits(at shift: Int) -> UInt64 {
        if shift >= 64 { return (high >> (shift - 64)) & 31 }
        if shift > 59 { return ((low >> shift) | (high << (64 - shift))) & 31 }
        return (low >> shift) & 31
    }
}

// MARK: - Bytes

extension ID {
    /// The 16 bytes in network order, as both storage engines keep them.
    package var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { out, count in
            for index in 0..<16 { out[index] = byte(index) }
            count = 16
        }
    }

    /// Reads 16 bytes in network order; nil when there are not exactly 16.
    package init?(bytes: some Collection<UInt8>) {
        // Rows are read through here: one step into the storage instead of sixteen through the collection's witness.
        let read = bytes.withContiguousStorageIfAvailable { ID(buffer: $0) }
        guard let id = read ?? Array(bytes).withUnsafeBufferPointer({ ID(buffer: $0) }) else { return nil }
        self = id
    }

    private init?(buffer: UnsafeBufferPointer<UInt8>) {
        guard buffer.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<8 {
            high = high << 8 | UInt64(buffer[index])
            low = low << 8 | UInt64(buffer[index + 8])
        }
        self.init(high: high, low: low)
    }

    private func byte(_ index: Int) -> UInt8 {
        index < 8
            ? UInt8(truncatingIfNeeded: high >> (56 - 8 * index))
            : UInt8(truncatingIfNeeded: low >> (120 - 8 * index))
    }
}

/// The lower-case UUID of 128 bits, for identifiers of every kind.
package enum IDText {
    package static let count = 36

    /// A text of its own; whoever writes into bytes spares it.
    package static func string(_ high: UInt64, _ low: UInt64) -> String {
        String(unsafeUninitializedCapacity: count) { out in
            write(high, low, to: out)
            return count
        }
    }

    /// Writes `count` characters.
    static func write(_ high: UInt64, _ low: UInt64, to out: UnsafeMutableBufferPointer<UInt8>) {
        var at = 0
        for half in [high, low] {
            for shift in stride(from: 60, through: 0, by: -4) {
                // Groups of 8, 4, 4, 4 and 12 digits.
                if at == 8 || at == 13 || at == 18 || at == 23 {
                    out[at] = UInt8(ascii: "-")
                    at += 1
                }
                out[at] = hexDigit(UInt8(truncatingIfNeeded: half >> UInt64(shift)) & 15)
                at += 1
            }
        }
    }
}

private let crockford = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
