import CPostgres
import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The settings that a session starts with.
struct PostgresSession: Sendable {
    let lane: Lane
    let name: String
    let statementTimeout: Duration
    /// Short enough that a lock held by a stuck session shows as an error and not as silence.
    let lockTimeout: Duration
    /// `auto` plans a statement anew at each use where that seems to be worth it.
    let planning: String

    init(lane: Lane) {
        self.lane = lane
        name = "tradewind \(lane)"
        switch lane {
        case .intake, .interactive, .prompt:
            statementTimeout = .seconds(30)
            lockTimeout = .seconds(10)
        case .background:
            // Janitors and schema steps go over whole tables.
            statementTimeout = .seconds(600)
            lockTimeout = .seconds(60)
        }
        // What callers ask for differs: a list may be of one status or of all. What the server asks of itself is the
        // same each time, and small batches were planned anew for the few rows they have.
        planning = lane == .interactive ? "auto" : "force_generic_plan"
    }

    /// Connects and applies the settings; the handle is the caller's to finish.
    func open(_ url: String) throws(PostgresFailure) -> OpaquePointer {
        let handle = try Self.connect(url, name: name)
        do {
            try Self.run(settings, on: handle)
        } catch {
            PQfinish(handle)
            throw error
        }
        return handle
    }

    /// Runs one command on a session of its own and outside any transaction.
    static func runAlone(_ command: String, at url: String) throws(PostgresFailure) {
        let handle = try connect(url, name: "tradewind")
        defer { PQfinish(handle) }
        try run(command, on: handle)
    }

    /// What libpq last complained of, on one line.
    static func words(of handle: OpaquePointer) -> String {
        let text = String(cString: PQerrorMessage(handle))
        let lines = text.split(separator: "\n").joined(separator: "; ")
        return lines.isEmpty ? "the connection to PostgreSQL is out of step" : lines
    }

    /// Every statement here reads few rows: starting parallel workers costs more than the whole of it, and a page at
    /// random is in memory or on a disk that doesn't seek.
    private var settings: String {
        """
        SET statement_timeout = \(statementTimeout.components.seconds * 1000);
        SET lock_timeout = \(lockTimeout.components.seconds * 1000);
        SET idle_in_transaction_session_timeout = 30000;
        SET jit = off;
        SET max_parallel_workers_per_gather = 0;
        SET random_page_cost = 1.1;
        SET plan_cache_mode = \(planning);
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
        """
    }

    private static func connect(_ url: String, name: String) throws(PostgresFailure) -> OpaquePointer {
        // Where a word comes twice the last one holds: the URL may overrule what stands before it. The keep-alives
        // find a server that vanished without a word within half a minute.
        let settings: KeyValuePairs = [
            "connect_timeout": "5", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
            "tcp_user_timeout": "30000", "fallback_application_name": name, "dbname": url, "client_encoding": "UTF8",
        ]
        let pairs = settings.map { ($0.key.withCString { strdup($0) }, $0.value.withCString { strdup($0) }) }
        defer {
            for (key, value) in pairs {
                free(key)
                free(value)
            }
        }
        let keys = pairs.map { UnsafePointer($0.0) } + [nil]
        let values = pairs.map { UnsafePointer($0.1) } + [nil]
        guard let handle = PQconnectdbParams(keys, values, 1) else {
            throw PostgresFailure(.unavailable, "no memory for a connection to PostgreSQL")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            defer { PQfinish(handle) }
            throw PostgresFailure(.unavailable, words(of: handle))
        }
        // Notices ("relation exists, skipping") would otherwise be printed on the standard error.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        return handle
    }

    private static func run(_ command: String, on handle: OpaquePointer) throws(PostgresFailure) {
        guard let result = PQexec(handle, command) else {
            throw PostgresFailure(.unavailable, words(of: handle))
        }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return
        default: throw PostgresFailure(answer: result, isWrite: true)
        }
    }
}
