import FoundationEssentials

/// A database of PostgreSQL that is filled by COPY and asked through `psql`.
final class PostgresStore: StoppedStore {
    private let url: String
    private let folder: String
    private var tables: [CopyRows] = []

    /// Rows that are copied together: what they take in memory and on disk stays small.
    private static let together = 50_000

    /// - Parameter folder: where rows are kept on their way into the database.
    init(_ url: String, folder: String) {
        self.url = url
        self.folder = folder
    }

    func rows(of table: String, _ columns: [String]) -> any StoredRows {
        let rows = CopyRows(table: table, columns: columns, file: "\(folder)/\(table).copy")
        tables.append(rows)
        return rows
    }

    func fill(_ count: Int, _ insert: (Int) throws -> Void) async throws {
        for start in stride(from: 0, to: count, by: Self.together) {
            for number in start..<min(count, start + Self.together) { try insert(number) }
            // One transaction, whose end nobody waits for: the checkpoint below makes all of it durable.
            var commands = ["SET synchronous_commit = off"]
            commands += try tables.compactMap { try $0.flush() }
            _ = try await PostgresCluster.psql(url, commands)
        }
        for table in tables { try table.removeFile() }
        // What time would have done: without it the first reads of a figure would write every page again.
        _ = try await PostgresCluster.psql(url, ["VACUUM (ANALYZE)", "CHECKPOINT"])
    }

    func execute(_ text: String) async throws { _ = try await PostgresCluster.psql(url, [text]) }

    func integer(_ text: String) async throws -> Int64 {
        let printed = try await PostgresCluster.psql(url, [text])
        guard let value = printed.split(separator: "\n").first.flatMap({ Int64($0) }) else {
            throw BenchError("no row: \(text)")
        }
        return value
    }

    func literal(_ id: UUID) -> String { "'\(id.uuidString)'::uuid" }
}

/// Rows of one table in COPY's text form.
private final class CopyRows: StoredRows {
    private let table: String
    private let columns: [String]
    private let file: String
    private var text: [UInt8] = []

    init(table: String, columns: [String], file: String) {
        self.table = table
        self.columns = columns
        self.file = file
    }

    func add(_ values: [StoredValue]) {
        for (index, value) in values.enumerated() {
            if index > 0 { text.append(UInt8(ascii: "\t")) }
            switch value {
            case .int(let int): text.append(contentsOf: String(int).utf8)
            case .text(let word): append(escaping: word)
            case .id(let bytes): append(hex: bytes)
            case .bytes(let bytes):
                text.append(contentsOf: #"\\x"#.utf8)
                append(hex: bytes)
            }
        }
        text.append(UInt8(ascii: "\n"))
    }

    /// Writes what has gathered to the file and returns the command that copies it; nil if nothing has.
    func flush() throws -> String? {
        guard !text.isEmpty else { return nil }
        try Data(text).write(to: URL(filePath: file))
        text.removeAll(keepingCapacity: true)
        return "\\copy \(table) (\(columns.joined(separator: ", "))) FROM '\(file)'"
    }

    func removeFile() throws {
        if FileManager.default.fileExists(atPath: file) { try FileManager.default.removeItem(atPath: file) }
    }

    private func append(escaping word: String) {
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): text.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\t"): text.append(contentsOf: #"\t"#.utf8)
            case UInt8(ascii: "\n"): text.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): text.append(contentsOf: #"\r"#.utf8)
            default: text.append(byte)
            }
        }
    }

    private func append(hex bytes: [UInt8]) {
        for byte in bytes {
            text.append(Self.digits[Int(byte >> 4)])
            text.append(Self.digits[Int(byte & 15)])
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
