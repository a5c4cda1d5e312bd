import Storage

extension PostgresDatabase {
    /// What durability rests on, as the server tells it to a session of ours.
    package func report() async throws -> EngineReport {
        let settings = try await read { transaction in
            try transaction.all(
                """
                SELECT name, setting, reset_val FROM pg_settings WHERE name IN
                ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level') ORDER BY name
                """
            ) { (name: $0.text(0), value: $0.text(1), own: $0.text(2)) }
        }
        func isOff(_ name: String) -> Bool { settings.contains { $0.name == name && $0.value == "off" } }

        var warnings: [String] = []
        if isOff("fsync") { warnings.append("fsync is off: a power failure can destroy the whole database") }
        if isOff("full_page_writes") {
            warnings.append("full_page_writes is off: safe only on a file system that never tears a page")
        }
        if isOff("synchronous_commit") {
            warnings.append("synchronous_commit is off: answered writes can be lost")
        } else if settings.contains(where: { $0.name == "synchronous_commit" && $0.own == "off" }) {
            warnings.append("synchronous_commit is off on the server; the sessions of this program set it to on")
        }
        return EngineReport(
            engine: "PostgreSQL", version: settings.first { $0.name == "server_version" }?.value ?? "unknown",
            settings: settings.filter { $0.name != "server_version" }.map { ($0.name, $0.value) }, warnings: warnings)
    }
}
