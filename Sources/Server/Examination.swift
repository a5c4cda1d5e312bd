import API
import Kernel
import Logging
import Signing
import Storage

/// What `tradewind doctor` finds: the settings in force, then a check of everything that durability rests on.
package enum Examination {
    package struct Report: Sendable {
        package var lines: [String] = []
        package var isHealthy = true

        mutating func good(_ name: String, _ text: String) { lines.append("  ok    \(name): \(text)") }
        mutating func warn(_ name: String, _ text: String) { lines.append("  warn  \(name): \(text)") }

        mutating func bad(_ name: String, _ text: String) {
            isHealthy = false
            lines.append("  FAIL  \(name): \(text)")
        }
    }

    /// Looks at everything and changes nothing but a row that it writes and takes away again.
    package static func run(_ settings: Settings, logger: Logger) async -> Report {
        var report = Report()
        report.lines.append("tradewind \(ServerBuilder.version)")
        report.lines.append("settings:")
        for shown in settings.shown { report.lines.append("  \(shown.key) = \(shown.value) (\(shown.source))") }
        report.lines.append("checks:")
        keys(settings, &report)
        clock(&report)
        disk(settings, &report)
        openFiles(OpenFiles.current(), &report)
        do {
            let database = try ServerBuilder.openDatabase(settings, logger: logger)
            await examine(database, &report)
            await database.shutdown()
        } catch {
            report.bad("store", "\(error)")
        }
        return report
    }

    private static func keys(_ settings: Settings, _ report: inout Report) {
        if settings.masterKey != nil {
            report.good("master key", "given by the operator")
            return
        }
        let path = DataDirectory.masterKey(settings.dataDirectory)
        do throws(MasterKeyError) {
            if try MasterKey.load(at: path) == nil {
                report.warn("master key", "there is none yet; the first start makes \(path)")
            } else {
                report.good("master key", path)
            }
        } catch { report.bad("master key", error.description) }
    }

    /// A clock before this version was written can't be right, and tokens and retries depend on it.
    private static func clock(_ report: inout Report) {
        let now = TimeSource.system.now()
        let earliest = Timestamp(milliseconds: 1_767_225_600_000)
        if now < earliest { report.bad("clock", "\(now) is before 2026") } else { report.good("clock", "\(now)") }
    }

    private static func disk(_ settings: Settings, _ report: inout Report) {
        do {
            try DataDirectory.make(settings.dataDirectory)
            let free = try DataDirectory.freeBytes(settings.dataDirectory) >> 20
            let median = try DataDirectory.flushMicroseconds(settings.dataDirectory)
            let text = "\(free) MiB free in \(settings.dataDirectory), a flush takes \(median) µs (median of 20)"
            if free < 512 { report.warn("disk", text) } else { report.good("disk", text) }
        } catch { report.bad("disk", "\(error)") }
    }

    /// A server raises the limit by itself, so what counts is how far it may.
    static func openFiles(_ found: OpenFiles?, _ report: inout Report) {
        guard let found else { return report.warn("open files", "the system does not tell how many are allowed") }
        if found.most < OpenFiles.wanted {
            report.warn(
                "open files",
                "\(found.most) at most; deliveries to many slow endpoints can need \(OpenFiles.wanted): raise the hard "
                    + "limit")
        } else {
            report.good("open files", "\(found.most) at most, which the server takes by itself; now \(found.limit)")
        }
    }

    private static func examine(_ database: any Database, _ report: inout Report) async {
        do {
            let engine = try await database.report()
            let settings = engine.settings.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            report.good("store", "\(engine.engine) \(engine.version); \(settings)")
            for warning in engine.warnings { report.warn("store", warning) }
            let steps = try await schema(database)
            let newest = Migration.all.last?.number ?? 0
            if steps < newest {
                report.warn("schema", "at step \(steps) of \(newest); 'tradewind migrate' or the next start mends it")
                return
            }
            report.good("schema", "at step \(steps)")
            for (name, depth) in try await depths(database) { report.good(name, "\(depth)") }
        } catch { report.bad("store", "\(error)") }
    }

    private static func schema(_ database: any Database) async throws -> Int {
        do {
            return try await database.read { transaction in
                try transaction.first("SELECT max(number) FROM schema_step") { Int($0.intOrNil(0) ?? 0) } ?? 0
            }
        } catch let error as StorageError where error.code == .misuse {
            // No such table: nothing was ever migrated.
            return 0
        }
    }

    private static func depths(_ database: any Database) async throws -> [(String, Int64)] {
        try await database.read { transaction in
            let counts: [(String, Statement)] = [
                ("workflows pending", "SELECT count(*) FROM workflow WHERE state = 'pending'"),
                ("workflows dead", "SELECT count(*) FROM workflow WHERE state = 'dead'"),
                ("deliveries pending", "SELECT count(*) FROM delivery WHERE state = 'pending'"),
            ]
            return try counts.map { name, statement in (name, try transaction.first(statement) { $0.int(0) } ?? 0) }
        }
    }
}
