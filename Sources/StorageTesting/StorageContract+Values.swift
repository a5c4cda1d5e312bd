import Kernel
import Storage
import Testing

extension StorageContract {
    private static let numbers: [Int64] = [0, 1, -2, 255, 65_536, .max, .min, 1 << 53 + 1]
    private static let texts = [
        "", "a", "Grüße, 世界 👩‍👩‍👧", "line\nline", "'quoted' $1 ?1 {rows}",
        String(repeating: "é", count: 70_000),
    ]
    private static let bodies: [[UInt8]] = [
        [], [0], [0, 0, 0], Array(0...255), [UInt8](repeating: 0xAB, count: 1 << 20),
    ]
    private static let ids: [(high: UInt64, low: UInt64)] = [
        (0, 0), (0, 1), (.max, .max), (0x0102_0304_0506_0708, 0x090A_0B0C_0D0E_0F10),
    ]

    static let valueChecks = [
        ContractCheck("Numbers come back as they went in") { database in
            for value in numbers {
                expectEqual(try await roundTrip("number", .int(value), database) { $0.int(0) }, value)
            }
        },
        ContractCheck("Text comes back as it went in") { database in
            for value in texts {
                expectEqual(try await roundTrip("label", .text(value), database) { $0.text(0) }, value)
            }
        },
        ContractCheck("Bytes come back as they went in, also none and a mebibyte") { database in
            for value in bodies {
                expectEqual(try await roundTrip("body", .bytes(value), database) { $0.bytes(0) }, value)
            }
        },
        ContractCheck("Identifiers come back as they went in, and sort as unsigned numbers") { database in
            for value in ids {
                let found = try await roundTrip("owner", .uuid(high: value.high, low: value.low), database) {
                    ID<Void>(high: $0.uuid(0).high, low: $0.uuid(0).low)
                }
                #expect(found == ID(high: value.high, low: value.low))
            }
            let order = try await database.read { transaction in
                try transaction.all("SELECT owner FROM sample WHERE owner IS NOT NULL ORDER BY owner") {
                    $0.id(0, of: Void.self)
                }
            }
            #expect(order == order.sorted())
        },
        ContractCheck("A null is a null of every kind") { database in
            try await database.write { try $0.execute("INSERT INTO sample (id) VALUES ($1)", [key(1)]) }
            let row = try await database.read { transaction in
                try transaction.first("SELECT number, label, body, owner FROM sample") {
                    $0.intOrNil(0) == nil && $0.textOrNil(1) == nil && $0.bytesOrNil(2) == nil
                        && $0.idOrNil(3, of: Void.self) == nil
                }
            }
            #expect(row == true)
        },
        ContractCheck("All kinds go through a batch") { database in
            var rows = RowBatch(["id": .uuid, "number": .int, "label": .text, "body": .bytes, "owner": .uuid])
            for (index, text) in texts.enumerated() {
                let id = ids[index % ids.count]
                rows.append(
                    key(index), .int(numbers[index]), .text(text), .bytes(bodies[index % bodies.count]),
                    .uuid(high: id.high, low: id.low))
            }
            let batch = rows
            try await database.write { transaction in
                try transaction.execute(
                    """
                    INSERT INTO sample (id, number, label, body, owner)
                    SELECT id, number, label, body, owner FROM {rows} r WHERE true
                    """, rows: batch)
            }
            let found = try await database.read { transaction in
                try transaction.all("SELECT number, label, body, owner FROM sample ORDER BY id") {
                    [SQLValue.int($0.int(0)), .text($0.text(1)), .bytes($0.bytes(2)), .id($0.id(3, of: Void.self))]
                }
            }
            let sent = stride(from: 0, to: batch.values.count, by: 5).map { Array(batch.values[$0 + 1..<$0 + 5]) }
            #expect(found == sent)
        },
    ]

    private static func roundTrip<T: Sendable>(
        _ column: String, _ value: SQLValue, _ database: any Database,
        _ decode: @escaping @Sendable (any Row) -> T
    ) async throws -> T? {
        try await database.write { transaction in
            try transaction.execute("DELETE FROM sample WHERE id = $1", [key(1)])
            let insert = Statement(composed: "INSERT INTO sample (id, \(column)) VALUES ($1, $2)")
            try transaction.execute(insert, [key(1), value])
        }
        return try await database.read { transaction in
            try transaction.first(Statement(composed: "SELECT \(column) FROM sample WHERE id = $1"), [key(1)], decode)
        }
    }
}
