import Kernel

/// Events as lines on standard output.
struct EventLines {
    let asJSON: Bool
    private let output: StreamedFile

    init(asJSON: Bool) throws {
        self.asJSON = asJSON
        output = try StreamedFile(writing: "-")
    }

    func write(_ event: JSONValue) throws { try output.write(Array(Self.line(event, asJSON: asJSON).utf8)) }

    /// What became of a forwarded event; beside lines of JSON it must not stand.
    func write(_ outcome: String, of event: JSONValue) throws {
        let line = "  -> \(outcome)\n"
        if asJSON {
            try show("\(event["id"]?.string ?? "")\(line)")
        } else {
            try output.write(Array(line.utf8))
        }
    }

    /// One event in one line: when, what, about what, its id.
    static func line(_ event: JSONValue, asJSON: Bool) -> String {
        if asJSON { return String(decoding: JSONWriter.bytes(of: event), as: UTF8.self) + "\n" }
        func text(_ name: String) -> String { event[name]?.string ?? "?" }
        let type = text("event_type")
        let padding = String(repeating: " ", count: max(0, 24 - type.count))
        return "\(text("occurred_at"))  \(type)\(padding)  \(text("entity_type")) \(text("entity_id"))  \(text("id"))\n"
    }
}
