import ArgumentParser
import NIOCore

/// The baseline of group commit: SQLite as durable as the server's, one order and one commit at a time.
struct CommitLoop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit-loop", abstract: "Commits one order at a time and prints how many a second.",
        shouldDisplay: false)

    @Option var folder: String
    @Option var seconds = 5.0

    func run() async throws {
        let file = try SQLiteFile(folder + "/commit-loop.sqlite")
        try file.execute(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE inbox (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
            CREATE TABLE inbox_key (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID
            """)
        let begin = try file.prepare("BEGIN IMMEDIATE")
        let order = try file.prepare("INSERT INTO inbox (body) VALUES (?)")
        let key = try file.prepare("INSERT INTO inbox_key (key) VALUES (?)")
        let commit = try file.prepare("COMMIT")
        let body = [UInt8](repeating: 65, count: 800)
        let began = LoadRun.now()
        var commits = 0
        while Double(LoadRun.now() - began) < seconds * 1e9 {
            try begin.run([])
            try order.run([.bytes(body)])
            try key.run([.bytes((0..<16).map { _ in UInt8.random(in: 0 ... .max) })])
            try commit.run([])
            commits += 1
        }
        print(Double(commits) * 1e9 / Double(LoadRun.now() - began))
    }
}
