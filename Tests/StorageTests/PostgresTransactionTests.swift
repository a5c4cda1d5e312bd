import Storage
import Synchronization
import Testing

@testable import StoragePostgres

@Suite("PostgreSQL transactions")
struct PostgresTransactionTests {
    private static let insert: Statement = "INSERT INTO item (number, label) VALUES ($1, $2)"

    private static func count(_ database: PostgresDatabase) async throws -> Int64? {
        try await database.read { try $0.first("SELECT count(*) FROM item") { $0.int(0) } }
    }

    @Test("Works of all lanes that come at once are each done once")
    func manyWorks() async throws {
        try await withPostgres { database, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    let lane = Lane.allCases[number % Lane.allCases.count]
                    group.addTask {
                        try await database.change(lane, Self.insert, [.int(number), .text("label")])
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await Self.count(database) == 200)
        }
    }

    @Test("A body that throws leaves nothing behind and its own error comes out")
    func rollback() async throws {
        struct Changed: Error {}
        try await withPostgres { database, _ in
            await #expect(throws: Changed.self) {
                try await database.write { transaction -> Void in
                    try transaction.execute(Self.insert, [.int(1), .text("gone")])
                    throw Changed()
                }
            }
            let count = try await Self.count(database)
            #expect(count == 0)
        }
    }

    @Test("A refused row fails its work even when the body overlooks it")
    func overlookedRefusal() async throws {
        try await withPostgres { database, _ in
            let code = try await storageCode {
                try await database.write { transaction in
                    try transaction.execute(Self.insert, [.int(1), .text("fine")])
                    #expect(throws: StorageError.self) {
                        try transaction.executeCounting(Self.insert, [.int(2), .text("forbidden")])
                    }
                }
            }
            #expect(code == .constraint(name: "item_label"))
            #expect(try await Self.count(database) == 0)
        }
    }

    @Test("A null where none may stand names the column, a double the constraint")
    func constraintNames() async throws {
        try await withPostgres { database, _ in
            let null = try await storageCode {
                try await database.change(.interactive, Self.insert, [.null, .text("x")])
            }
            #expect(null == .constraint(name: "number"))
            let double = try await storageCode {
                try await database.write { transaction in
                    try transaction.execute(Self.insert, [.int(1), .text("x")])
                    try transaction.execute(Self.insert, [.int(1), .text("y")])
                }
            }
            #expect(double == .constraint(name: "item_pkey"))
        }
    }

    @Test("A read sees one state however many statements it has, and cannot write")
    func reads() async throws {
        try await withPostgres { database, url in
            let (before, after) = try await database.read { transaction in
                let before = try transaction.first("SELECT count(*) FROM item") { $0.int(0) }
                try PostgresDatabase.runAlone("INSERT INTO item (number) VALUES (1)", at: url)
                return (before, try transaction.first("SELECT count(*) FROM item") { $0.int(0) })
            }
            #expect(before == 0 && after == 0)
            #expect(try await Self.count(database) == 1)
            let code = try await storageCode {
                try await database.read { try $0.execute("DELETE FROM item") }
            }
            #expect(code == .misuse)
            #expect(try await Self.count(database) == 1)
        }
    }

    @Test("Of two works in a deadlock the victim runs again and both succeed")
    func deadlock() async throws {
        try await withPostgres { database, url in
            try await database.write { transaction in
                for number in 1...2 { try transaction.execute(Self.insert, [.int(number), .text("")]) }
            }
            let runs = Counter()
            let haveLocked = Counter()
            let work = { @Sendable (first: Int, second: Int) async throws in
                let isSecondRun = Counter()
                try await database.write { transaction in
                    runs.add()
                    let update: Statement = "UPDATE item SET label = label || 'x' WHERE number = $1"
                    _ = try transaction.executeCounting(update, [.int(first)])
                    if isSecondRun.add() == 1 {
                        haveLocked.add()
                        // Each holds its first row before either asks for the other's. The server's clock is asked
                        // only to give way to the other thread.
                        while haveLocked.value < 2 { _ = try transaction.executeCounting("SELECT now_ms()") }
                    }
                    try transaction.execute(update, [.int(second)])
                }
            }
            async let one: Void = work(1, 2)
            async let two: Void = work(2, 1)
            _ = try await (one, two)
            // The victim may be quicker than the survivor and lose once more.
            #expect(runs.value >= 3)
            let labels = try await database.read { try $0.all("SELECT label FROM item") { $0.text(0) } }
            #expect(labels == ["xx", "xx"])
        }
    }

    @Test("A work that loses against others runs again, but not for ever", arguments: [(2, 3), (5, 6), (100, 6)])
    func reruns(failures: Int, expectedRuns: Int) async throws {
        try await withPostgres { database, _ in
            let runs = Counter()
            let code = try await storageCode {
                try await database.write { transaction in
                    try transaction.execute(Self.insert, [.int(1), .text("once")])
                    if runs.add() <= failures {
                        try transaction.execute("DO $do$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $do$")
                    }
                }
            }
            #expect(runs.value == expectedRuns)
            #expect(code == (failures < 6 ? nil : .conflict))
            #expect(try await Self.count(database) == (failures < 6 ? 1 : 0))
        }
    }

    @Test("A statement prepared before a table changed is prepared again")
    func changedTable() async throws {
        try await withPostgres(connections: .init(interactive: 1)) { database, url in
            let read = { @Sendable in
                try await database.read { try $0.all("SELECT * FROM item WHERE number = 1") { $0.int(0) } }
            }
            try await database.change(.interactive, Self.insert, [.int(1), .text("")])
            #expect(try await read() == [1])
            try PostgresDatabase.runAlone("ALTER TABLE item ADD COLUMN more TEXT", at: url)
            #expect(try await read() == [1])
        }
    }

    @Test("A session keeps only the newest of the statements put together at run time")
    func composedStatements() async throws {
        try await withPostgres(connections: .init(interactive: 1)) { database, _ in
            let held = try await database.read { transaction in
                for number in 0..<600 { try transaction.execute(Statement(composed: "SELECT \(number)")) }
                return try transaction.first("SELECT count(*) FROM pg_prepared_statements") { $0.int(0) }
            }
            #expect(try #require(held) <= 256 + 4 + 1)
            #expect(try #require(held) > 200)
        }
    }

    @Test(
        "What a session knows ends with its works or its time, but is never learnt anew soon",
        arguments: [KnowledgeAge.plans, .statistics])
    func knowledgeAge(kind: KnowledgeAge) {
        var age = kind
        let start = ContinuousClock.now
        func isOver(_ later: Duration) -> Bool { age.isOver(at: start + later) }
        let first = isOver(.zero)
        // Busy: the works are over before the shortest time is.
        let early = (1...kind.works + 50).contains { _ in isOver(kind.least / 2) }
        let busy = [isOver(kind.least), isOver(kind.least * 2)]
        // Idle: the time alone.
        let idle = [isOver(kind.least + kind.most), isOver(kind.least + kind.most)]
        #expect(!first && !early && busy == [true, false] && idle == [true, false])
    }

    @Test("A session that plans anew goes on with the statements that it has prepared")
    func plansAnew() async throws {
        try await withPostgres(connections: .init(intake: 1)) { database, _ in
            let begin = ContinuousClock.now
            var number = 0
            let age = KnowledgeAge.plans
            while number <= 3 * age.works || begin.duration(to: .now) < age.least * 3 {
                try await database.change(.intake, Self.insert, [.int(number), .text("label")])
                number += 1
            }
            #expect(try await Self.count(database) == Int64(number))
        }
    }

    @Test("A table that has grown is analysed by works of the background lane, and not again until it has tripled")
    func statistics() async throws {
        try await withPostgres(connections: .init(background: 1)) { database, _ in
            // Autovacuum would analyse it too, once a minute.
            try await database.write { try $0.execute("ALTER TABLE item SET (autovacuum_enabled = false)") }
            try await Self.grow(from: 1, to: 2000, database)
            #expect(try await Self.analysedRows(database, for: .seconds(30)) { $0 > 0 } == 2000)
            try await Self.grow(from: 2001, to: 4000, database)
            let age = KnowledgeAge.statistics
            #expect(try await Self.analysedRows(database, for: age.least * 3) { $0 > 2000 } == 2000)
            try await Self.grow(from: 4001, to: 7000, database)
            #expect(try await Self.analysedRows(database, for: .seconds(30)) { $0 > 2000 } == 7000)
        }
    }

    @Test("While one session analyses no other does")
    func statisticsAlone() async throws {
        try await withPostgres(connections: .init(interactive: 1, background: 1)) { database, _ in
            try await database.write { try $0.execute("ALTER TABLE item SET (autovacuum_enabled = false)") }
            func other(_ call: String) async throws {
                let statement = Statement(composed: "SELECT \(call)(\(PostgresStatistics.lock))")
                try await database.write { try $0.execute(statement) }
            }
            try await other("pg_advisory_lock")
            try await Self.grow(from: 1, to: 2000, database)
            let age = KnowledgeAge.statistics
            #expect(try await Self.analysedRows(database, for: age.least * 3) { $0 > 0 } <= 0)
            try await other("pg_advisory_unlock")
            #expect(try await Self.analysedRows(database, for: .seconds(30)) { $0 > 0 } == 2000)
        }
    }

    private static func grow(from first: Int, to last: Int, _ database: PostgresDatabase) async throws {
        try await database.write { transaction in
            try transaction.execute(
                "INSERT INTO item (number, label) SELECT n, 'label' FROM generate_series($1::bigint, $2::bigint) n",
                [.int(first), .int(last)])
            // The server counts rows by what sessions report, which they do once a second.
            try transaction.execute("SELECT pg_stat_force_next_flush()")
        }
    }

    /// Does background works until the planner's number of rows is as wanted, or the time is over.
    private static func analysedRows(
        _ database: PostgresDatabase, for time: Duration, until isDone: (Int64) -> Bool
    ) async throws -> Int64 {
        let start = ContinuousClock.now
        while true {
            let rows = try await database.read(.background) { transaction in
                try transaction.first("SELECT reltuples::bigint FROM pg_class WHERE relname = 'item'") { $0.int(0) }
            }
            let known = try #require(rows)
            if isDone(known) || start.duration(to: .now) > time { return known }
        }
    }

    @Test("A transaction that escaped its body is refused")
    func escape() async throws {
        final class Escaped: @unchecked Sendable { var transaction: (any Transaction)? }
        try await withPostgres { database, _ in
            let escaped = Escaped()
            try await database.write { escaped.transaction = $0 }
            let transaction = try #require(escaped.transaction)
            #expect(throws: StorageError.self) { try transaction.execute("SELECT now_ms()") }
        }
    }
}
