import Kernel
import Storage
import TestSupport
import Testing

@testable import Integrations

/// The memory that SQLite's writer keeps of the newest keys, held against a plain set.
@Suite("Deduplication keys that are gathered before they are sorted in")
struct RecentInboxKeysTests {
    private struct Undone: Error {}

    private static func key(_ random: inout SeededRandom) -> [UInt8] {
        (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    /// What was committed so far, and who sends.
    private struct World {
        var random: SeededRandom
        var known: [[UInt8]: InboxID] = [:]
        var sent: [[UInt8]] = []
        var next: UInt64 = 1

        /// Some keys nobody has sent, some that were sent before, none twice, sorted.
        mutating func batch() -> [(key: [UInt8], id: InboxID)] {
            var keys: [[UInt8]: InboxID] = [:]
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                let isRepeated = !sent.isEmpty && Int.random(in: 0..<4, using: &random) == 0
                let key =
                    isRepeated
                    ? sent[Int.random(in: 0..<sent.count, using: &random)]
                    : RecentInboxKeysTests.key(&random)
                keys[key] = InboxID(high: 1, low: next)
                next += 1
            }
            return keys.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
        }
    }

    @Test("No key is taken twice or forgotten, however batches, undone work and restarts follow", arguments: 0..<4)
    func agrees(seed: UInt64) async throws {
        let time = ManualTime()
        try await withStore(.sqlite, time: time) { store in
            var world = World(random: SeededRandom(seed: seed))
            var database = try store.open()
            var filter = InboxKeyFilter()
            _ = try await database.migrate(time: time.source)
            for _ in 0..<200 {
                let batch = world.batch()
                let isUndone = Int.random(in: 0..<5, using: &world.random) == 0
                do {
                    let fresh = try await insert(batch, filter: filter, undone: isUndone, into: database)
                    #expect(fresh == Set(batch.filter { world.known[$0.key] == nil }.map(\.id)))
                    for (key, id) in batch where world.known[key] == nil {
                        world.known[key] = id
                        world.sent.append(key)
                    }
                } catch is Undone {}
                if Int.random(in: 0..<20, using: &world.random) == 0 {
                    await database.shutdown()
                    database = try store.open()
                    filter = InboxKeyFilter()
                }
                // Some time after each start the filter knows all, and lookups stop.
                if Int.random(in: 0..<10, using: &world.random) == 0 { try await filter.complete(from: database) }
            }
            let found = try await database.write { [keys = Array(world.known.keys)] transaction in
                // Makes the table in memory, if the last thing that happened was a restart.
                _ = try RecentInboxKeys.insert([], filter: InboxKeyFilter(), in: transaction)
                return try InboxKeys().known(keys, in: transaction)
            }
            #expect(found == world.known)
            // They did move on: what waits is bounded, on disk as in memory.
            #expect(try await count("SELECT count(*) FROM inbox_key", in: database) > 1000)
            #expect(try await count("SELECT count(*) FROM temp.recent_key", in: database) < 400)
            #expect(try await count("SELECT count(*) FROM inbox_arrival", in: database) < 600)
            await database.shutdown()
        }
    }

    private func insert(
        _ batch: [(key: [UInt8], id: InboxID)], filter: InboxKeyFilter, undone: Bool, into database: any Database
    ) async throws -> Set<InboxID> {
        let keys = batch.map { InboxKey(bytes: $0.key, inbox: $0.id) }
        return try await database.write(.intake) { transaction in
            let fresh = try RecentInboxKeys.insert(keys, filter: filter, gathering: 50, in: transaction)
            if undone { throw Undone() }
            return fresh
        }
    }

    private func count(_ statement: Statement, in database: any Database) async throws -> Int64 {
        try await database.write { try $0.first(statement) { $0.int(0) } ?? 0 }
    }

    @Test("A filter that is complete knows nearly every new key for new, and takes no known one for new")
    func filter() async throws {
        let time = ManualTime()
        try await withDatabase(.sqlite, time: time) { database in
            var random = SeededRandom(seed: 9)
            let keys = (0..<20_000).map { _ in Self.key(&random) }
            let (left, gathered, new) = (keys[..<9_000], keys[9_000..<10_000], keys[10_000...])
            try await database.write { transaction in
                var rows = RowBatch(["key": .bytes, "inbox_id": .uuid])
                for key in left { rows.append(.bytes(key), .id(InboxID(high: 1, low: 1))) }
                try transaction.execute(
                    "INSERT INTO inbox_key (key, inbox_id) SELECT key, inbox_id FROM {rows} r", rows: rows)
            }
            let filter = InboxKeyFilter()
            #expect(filter.insert(Array(gathered)).allSatisfy { $0 }, "until it is complete, each may be known")
            try await filter.complete(from: database)
            #expect(filter.insert(Array(left + gathered)).allSatisfy { $0 })
            #expect(filter.insert(Array(new)).count { $0 } < 100)
        }
    }

    @Test("In quiet moments keys move until few are gathered; nothing moves while many come")
    func quiet() async throws {
        let time = ManualTime()
        try await withDatabase(.sqlite, time: time) { database in
            var random = SeededRandom(seed: 10)
            let keys = InboxKeys()
            func offer(_ count: Int) async throws {
                let batch = (0..<count).map { number in
                    InboxKey(bytes: Self.key(&random), inbox: InboxID(high: 1, low: UInt64(number)))
                }
                let sorted = batch.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
                _ = try await database.write(.intake) { try keys.insert(sorted, in: $0) }
            }
            func gathered() async throws -> Int64 {
                try await count("SELECT count(*) FROM temp.recent_key", in: database)
            }
            try await offer(70_000)
            var look = try await keys.look(after: InboxKeys.Look(), in: database)
            #expect(try await gathered() == 70_000, "many have just come")
            look = try await keys.look(after: look, in: database)
            #expect(try await gathered() <= RecentInboxKeys.kept)
            #expect(try await count("SELECT count(*) FROM inbox_key", in: database) >= 70_000 - RecentInboxKeys.kept)
            let statements = database.statementCount
            _ = try await keys.look(after: look, in: database)
            #expect(database.statementCount == statements, "nothing has come since")
        }
    }
}
