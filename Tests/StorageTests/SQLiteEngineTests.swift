import Foundation
import Kernel
import Storage
import StorageSQLite
import StorageTesting
import TestSupport
import Testing

@Suite("What only SQLite has")
struct SQLiteEngineTests {
    @Test("The writer flushes every commit: journal mode WAL, synchronous FULL")
    func pragmas() async throws {
        try await withDatabase(.sqlite) { database in
            let report = try await database.report()
            let settings = Dictionary(uniqueKeysWithValues: report.settings.map { ($0.name, $0.value) })
            #expect(settings["synchronous"] == "2")
            #expect(settings["journal_mode"] == "wal")
            #expect(settings["foreign_keys"] == "1")
            #expect(report.engine == "SQLite")
        }
    }

    @Test("However long a list is, each of its rows is looked up by the index there is", arguments: [4, 64, 512, 1024])
    func longLists(count: Int) async throws {
        try await withDatabase(.sqlite) { database in
            try await database.write(.interactive) { transaction in
                try transaction.execute("CREATE TABLE box (id BLOB NOT NULL PRIMARY KEY, shelf BLOB NOT NULL) STRICT")
                try transaction.execute(
                    "CREATE TABLE piece (shelf BLOB NOT NULL, box BLOB NOT NULL, n INTEGER NOT NULL) STRICT")
                try transaction.execute("CREATE INDEX piece_by_box ON piece (shelf, box)")
            }
            var rows = RowBatch(["wanted": .uuid])
            for number in 0..<count { rows.append(.uuid(high: 1, low: UInt64(number))) }
            let wanted = rows
            let statement: Statement = """
                EXPLAIN QUERY PLAN SELECT b.id, sum(p.n) FROM {rows} r JOIN box b ON b.id = r.wanted
                JOIN piece p ON p.shelf = b.shelf AND p.box = b.id GROUP BY b.id
                """
            let steps = { @Sendable (transaction: any Transaction) in
                try transaction.all(statement, rows: wanted) { $0.text(3) }
            }
            for plan in [try await database.read { try steps($0) }, try await database.write { try steps($0) }] {
                #expect(plan.contains { $0.hasPrefix("SEARCH b USING INDEX") }, "\(plan)")
                #expect(plan.contains { $0.hasPrefix("SEARCH p USING INDEX piece_by_box") }, "\(plan)")
            }
        }
    }

    @Test("A second server on the same file is refused with the file's name, until the first has ended")
    func lock() async throws {
        try await withStore(.sqlite) { store in
            let first = try store.open()
            let error = #expect(throws: StorageError.self) { _ = try store.open() }
            #expect(error?.code == .unavailable)
            #expect(error?.detail.contains(store.location) == true)
            await first.shutdown()
            let second = try store.open()
            await second.shutdown()
        }
    }

    @Test("A database that was dropped without shutting it down ends its threads and frees its file")
    func dropped() async throws {
        try await withStore(.sqlite) { store in
            _ = try store.open()
            var next: (any Database)?
            // Its threads end on their own; each refused try gives them a turn.
            for _ in 0..<1_000_000 where next == nil {
                next = try? store.open()
                await Task.yield()
            }
            let second = try #require(next)
            await second.shutdown()
        }
    }

    @Test("A folder that is not there is a clear refusal")
    func missingFolder() {
        let error = #expect(throws: StorageError.self) { _ = try SQLiteDatabase(path: "/no/such/folder/t.db") }
        #expect(error?.code == .unavailable)
        #expect(error?.detail.contains("/no/such/folder/t.db") == true)
    }

    @Test("A file that is no database is reported as corrupt, not written over")
    func notADatabase() async throws {
        try await withStore(.sqlite) { store in
            let bytes = Data(repeating: 0x41, count: 8192)
            try bytes.write(to: URL(fileURLWithPath: store.location))
            let error = #expect(throws: StorageError.self) { _ = try store.open() }
            #expect(error?.code == .corrupt)
            #expect(try Data(contentsOf: URL(fileURLWithPath: store.location)) == bytes)
        }
    }

    @Test("A full disk is said to be unavailable, writes nothing, and is got over when there is room again")
    func diskFull() async throws {
        try await withDatabase(.sqlite, migrations: StorageContract.migrations) { database in
            try await setPageLimit(database, 40)
            let large: @Sendable (any Transaction) throws -> Void = { transaction in
                try transaction.execute("INSERT INTO counted (label) VALUES ('before')")
                let body = [UInt8](repeating: 1, count: 400_000)
                try transaction.execute(
                    "INSERT INTO sample (id, body) VALUES ($1, $2)", [.uuid(high: 1, low: 1), .bytes(body)])
            }
            for _ in 0..<3 {
                let error = await #expect(throws: StorageError.self) { try await database.write(.interactive, large) }
                #expect(error?.code == .unavailable)
            }
            #expect(try await database.read { try $0.executeCounting("SELECT label FROM counted") } == 0)

            try await setPageLimit(database, 1_000_000)
            try await database.write(.interactive, large)
            #expect(try await database.read { try $0.executeCounting("SELECT label FROM counted") } == 1)
        }
    }

    @Test("When the disk fills up among many writes, each hears the truth about itself")
    func diskFullAmongMany() async throws {
        try await withDatabase(.sqlite, migrations: StorageContract.migrations) { database in
            try await setPageLimit(database, 60)
            let accepted = await withTaskGroup(of: Int?.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                try transaction.execute(
                                    "INSERT INTO sample (id, number, body) VALUES ($1, $2, $3)",
                                    [
                                        .uuid(high: 1, low: UInt64(number)), .int(number),
                                        .bytes([UInt8](repeating: 2, count: 10_000)),
                                    ])
                            }
                            return number
                        } catch let error as StorageError {
                            #expect(error.code == .unavailable)
                        } catch {
                            Issue.record(error)
                        }
                        return nil
                    }
                }
                return await group.reduce(into: [Int]()) { if let number = $1 { $0.append(number) } }
            }
            let stored = try await database.read {
                try $0.all("SELECT number FROM sample ORDER BY number") { Int($0.int(0)) }
            }
            #expect(stored == accepted.sorted())
            #expect(stored.count < 60)
            try await setPageLimit(database, 1_000_000)
            try await database.write { try $0.execute("INSERT INTO counted (label) VALUES ('after')") }
        }
    }

    @Test("Whatever was answered stands in the files, however large its transaction was and whatever was taken back")
    func written() async throws {
        try await withStore(.sqlite) { store in
            let database = try store.open()
            _ = try await database.migrate(StorageContract.migrations)
            @Sendable func insert(_ number: Int, bytes: Int, in transaction: any Transaction) throws {
                try transaction.execute(
                    "INSERT INTO sample (id, number, body) VALUES ($1, $2, $3)",
                    [
                        .uuid(high: 1, low: UInt64(number)), .int(number),
                        .bytes([UInt8](repeating: 5, count: bytes)),
                    ])
            }
            // The third is more than the writer keeps of a transaction in memory.
            for (number, bytes) in [100, 300_000, 24 << 20, 100].enumerated() {
                let error = await #expect(throws: StorageError.self) {
                    try await database.write { transaction in
                        try insert(1000 + number, bytes: bytes, in: transaction)
                        throw StorageError(.misuse, "taken back")
                    }
                }
                #expect(error?.detail == "taken back")
                try await database.write { try insert(number, bytes: bytes, in: $0) }
                try await withStore(.sqlite) { copy in
                    for end in ["", "-wal"] {
                        try FileManager.default.copyItem(atPath: store.location + end, toPath: copy.location + end)
                    }
                    let restored = try copy.open()
                    let (numbers, check) = try await restored.read { transaction in
                        (
                            try transaction.all("SELECT number FROM sample ORDER BY number") { Int($0.int(0)) },
                            try transaction.first("PRAGMA integrity_check") { $0.text(0) }
                        )
                    }
                    #expect(numbers == Array(0...number))
                    #expect(check == "ok")
                    await restored.shutdown()
                }
            }
            await database.shutdown()
        }
    }

    @Test("Work of one lane is done and answered in the order in which it came")
    func order() async throws {
        try await withDatabase(.sqlite, migrations: StorageContract.migrations) { database in
            let (done, answered) = (Recorder<Int>(), Recorder<Int>())
            for number in 0..<100 {
                let body: @Sendable (any Transaction) throws -> Void = { _ in done.record(number) }
                database.enqueue(Work(lane: .intake, isWrite: true, body: body) { _ in answered.record(number) })
            }
            await database.shutdown()
            #expect(done.elements == Array(0..<100))
            #expect(answered.elements == done.elements)
        }
    }

    @Test(
        "A body can not end the transaction that it shares with others",
        arguments: [
            "COMMIT", "ROLLBACK", "end", "  BEGIN", "SAVEPOINT a", "RELEASE work",
        ])
    func transactionWords(text: String) async throws {
        try await withDatabase(.sqlite, migrations: []) { database in
            let error = await #expect(throws: StorageError.self) {
                try await database.write { try $0.execute(Statement(composed: text)) }
            }
            #expect(error?.code == .misuse)
        }
    }

    @Test("Thousands of texts made at run time leave the engine able to run the first again")
    func manyComposed() async throws {
        try await withDatabase(.sqlite, migrations: []) { database in
            let sum = try await database.read { transaction in
                try (0..<2000).reduce(0) { sum, number in
                    let statement = Statement(composed: "SELECT \(number % 1500)")
                    return sum + (try transaction.first(statement) { Int($0.int(0)) } ?? 0)
                }
            }
            #expect(sum == (0..<2000).reduce(0) { $0 + $1 % 1500 })
        }
    }

    @Test("The log is copied into the file as it grows, and does not grow without end")
    func checkpoints() async throws {
        try await withStore(.sqlite) { store in
            let database = try store.open()
            _ = try await database.migrate(StorageContract.migrations)
            let body = [UInt8](repeating: 3, count: 1 << 20)
            for number in 0..<60 {
                try await database.write { transaction in
                    try transaction.execute(
                        "INSERT INTO sample (id, body) VALUES ($1, $2)",
                        [.uuid(high: 1, low: UInt64(number)), .bytes(body)])
                }
            }
            let log = try FileManager.default.attributesOfItem(atPath: store.location + "-wal")[.size] as? Int
            #expect(try #require(log) < 24 << 20)
            await database.shutdown()
            #expect(!FileManager.default.fileExists(atPath: store.location + "-wal"))
        }
    }

    @Test(
        "The releases with the log's defect are known",
        arguments: [
            (3_006_999, false), (3_007_000, true), (3_040_001, true), (3_044_005, true), (3_044_006, false),
            (3_045_000, true), (3_050_006, true), (3_050_007, false), (3_051_002, true), (3_051_003, false),
        ])
    func version(number: Int, isAffected: Bool) {
        #expect(SQLiteVersion(number: number).hasWALResetBug == isAffected)
    }

    private func setPageLimit(_ database: any Database, _ pages: Int) async throws {
        try await database.write { transaction in
            try transaction.execute(Statement(composed: "PRAGMA max_page_count = \(pages)"))
        }
    }
}
