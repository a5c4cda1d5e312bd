import Storage
import StoragePostgres
import Testing
import TestSupport

@Suite("PostgreSQL connections")
struct PostgresConnectionTests {
    private static let insert: Statement = "INSERT INTO item (number) VALUES ($1)"
    private static let select: Statement = "SELECT number FROM item ORDER BY number"

    /// Tries until the engine has found back to the server.
    private static func untilAvailable(_ body: () async throws -> Void) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let code = try await storageCode(body)
            if code == nil { return }
            #expect(code == .unavailable)
            try #require(ContinuousClock.now < deadline, "the engine did not recover")
            await Task.yield()
        }
    }

    @Test("When the server crashes works fail at once, and succeed again when it is back")
    func crash() async throws {
        let server = try PostgresServer()
        defer { server.remove() }
        let database = try PostgresDatabase(url: server.url)
        try await database.write { transaction in
            try transaction.execute("CREATE TABLE item (number BIGINT NOT NULL PRIMARY KEY)")
            try transaction.execute(Self.insert, [.int(1)])
        }
        // This one is under way while the server goes.
        let underWay = try await storageCode {
            try await database.write { transaction in
                try transaction.execute(Self.insert, [.int(2)])
                try server.stop(immediate: true)
                try transaction.execute(Self.insert, [.int(3)])
            }
        }
        #expect(underWay == .unavailable)
        // Were they to wait for the server, they would wait here for ever.
        for lane in Lane.allCases {
            for _ in 0..<10 {
                let code = try await storageCode {
                    try await database.change(lane, Self.insert, [.int(4)])
                }
                #expect(code == .unavailable)
            }
        }
        try server.start()
        for (number, lane) in Lane.allCases.enumerated() {
            try await Self.untilAvailable {
                try await database.change(lane, Self.insert, [.int(10 + number)])
            }
        }
        let numbers = try await database.read { try $0.all(Self.select) { $0.int(0) } }
        #expect(numbers == [1] + Lane.allCases.indices.map { Int64(10 + $0) })
        await database.shutdown()
    }

    @Test("A restart between two works goes unnoticed")
    func restart() async throws {
        let server = try PostgresServer()
        defer { server.remove() }
        let database = try PostgresDatabase(url: server.url)
        for lane in Lane.allCases { try await database.change(lane, "SELECT now_ms()") }
        try server.stop()
        try server.start()
        for lane in Lane.allCases { try await database.change(lane, "SELECT now_ms()") }
        await database.shutdown()
    }

    @Test("A session that the server ends fails only the work under way")
    func terminated() async throws {
        try await withPostgres(connections: .init(interactive: 1)) { database, _ in
            let code = try await storageCode {
                try await database.write { transaction in
                    try transaction.execute(Self.insert, [.int(1)])
                    try transaction.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(code == .unavailable)
            try await database.change(.interactive, Self.insert, [.int(2)])
            #expect(try await database.read { try $0.all(Self.select) { $0.int(0) } } == [2])
        }
    }

    @Test("Shutting down does what was handed over before and refuses what comes after")
    func shutdown() async throws {
        try await withPostgres { database, url in
            await withTaskGroup(of: Void.self) { group in
                let finished = Counter()
                for number in 0..<50 {
                    database.enqueue(
                        Work(
                            lane: .background, isWrite: true,
                            body: { try $0.execute(Self.insert, [.int(number)]) },
                            completion: { if $0 == nil { finished.add() } }))
                }
                await database.shutdown()
                #expect(finished.value == 50)
            }
            let code = try await storageCode { try await database.change(.interactive, Self.insert, [.int(99)]) }
            #expect(code == .unavailable)
            await database.shutdown()
            let again = try PostgresDatabase(url: url)
            #expect(try await again.read { try $0.all(Self.select) { $0.int(0) } }.count == 50)
            await again.shutdown()
        }
    }

    @Test("A server that is not there is told at once")
    func absent() throws {
        let error = #expect(throws: StorageError.self) {
            _ = try PostgresDatabase(url: "host=/nowhere dbname=none")
        }
        #expect(error?.code == .unavailable)
    }

    @Test("Copies that start at once agree on now_ms, and it tells the server's time")
    func clock() async throws {
        try await withFreshPostgresDatabase(serverURL: PostgresServer.sharedURL()) { url in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let database = try PostgresDatabase(url: url)
                        let difference = try await database.read { transaction in
                            try transaction.first(
                                "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - now_ms()"
                            ) { $0.int(0) }
                        }
                        #expect((0..<10_000).contains(try #require(difference)))
                        await database.shutdown()
                    }
                }
                try await group.waitForAll()
            }
            let database = try PostgresDatabase(url: url, nowExpression: "1234::bigint")
            #expect(try await database.read { try $0.first("SELECT now_ms()") { $0.int(0) } } == 1234)
            await database.shutdown()
        }
    }

    @Test("The report names the version and what durability rests on")
    func report() async throws {
        try await withPostgres { database, _ in
            let report = try await database.report()
            #expect(report.engine == "PostgreSQL")
            #expect(report.version.hasPrefix("1"))
            #expect(report.settings.map(\.name) == ["fsync", "full_page_writes", "synchronous_commit", "wal_level"])
            #expect(report.warnings == [])
        }
    }

    @Test("Sessions commit to the disk even where the server's own setting says otherwise")
    func synchronousCommit() async throws {
        try await withPostgres { _, url in
            // The shared server is named as a URL or as words, depending on who started it.
            let isURL = url.contains("://")
            let option = isURL ? "&options=-c%20synchronous_commit%3Doff" : " options='-c synchronous_commit=off'"
            let lax = try PostgresDatabase(url: url + option)
            let report = try await lax.report()
            #expect(report.settings.contains { $0.name == "synchronous_commit" && $0.value == "on" })
            #expect(report.warnings.count == 1)
            await lax.shutdown()
        }
    }

    @Test("A statement is counted each time that it runs")
    func statementCount() async throws {
        try await withPostgres { database, _ in
            let before = database.statementCount
            try await database.write { transaction in
                for number in 0..<7 { try transaction.execute(Self.insert, [.int(number)]) }
            }
            #expect(database.statementCount - before == 7)
        }
    }

    @Test(
        "Another database of the same server is named in either form of address",
        arguments: [
            ("host=/run dbname=postgres", "host=/run dbname=postgres dbname=new"),
            ("postgres://me@host:5432/old?sslmode=require", "postgres://me@host:5432/new?sslmode=require"),
            ("postgresql://host", "postgresql://host/new"),
            ("postgres:///old?host=/run/x", "postgres:///new?host=/run/x"),
        ])
    func otherDatabase(url: String, expected: String) {
        #expect(postgresURL(url, database: "new") == expected)
    }
}
