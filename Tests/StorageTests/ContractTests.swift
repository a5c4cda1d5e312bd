import Kernel
import Storage
import StorageTesting
import TestSupport
import Testing

@Suite("The storage contract, on both engines")
struct ContractTests {
    @Test("An engine keeps the contract", arguments: TestEngine.allCases, StorageContract.checks)
    func check(engine: TestEngine, check: ContractCheck) async throws {
        try await withDatabase(engine, migrations: StorageContract.migrations) { try await check.run($0) }
    }

    @Test("Migrations run once, also for a second server", arguments: TestEngine.allCases)
    func migrations(engine: TestEngine) async throws {
        try await withStore(engine) { try await StorageContract.checkMigrations($0) }
    }

    @Test("Shutting down finishes what waits and refuses what comes", arguments: TestEngine.allCases)
    func shutdown(engine: TestEngine) async throws {
        try await withStore(engine) { try await StorageContract.checkShutdown($0) }
    }

    @Test("now_ms() follows the clock that the engine was given", arguments: TestEngine.allCases)
    func clock(engine: TestEngine) async throws {
        let time = ManualTime()
        try await withDatabase(engine, time: time, migrations: []) { database in
            for _ in 0..<3 {
                let read = try await database.read { try $0.first("SELECT now_ms()") { $0.time(0) } }
                let written = try await database.write { try $0.first("SELECT now_ms()") { $0.time(0) } }
                #expect(read == time.now && written == time.now)
                time.advance(by: .seconds(3600))
            }
        }
    }
}
