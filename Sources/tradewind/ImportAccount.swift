import Kernel

/// What a hub says of an import, in the words of the command line. Pure.
struct ImportAccount {
    private let one: JSONValue

    /// - Parameter one: the hub's answer.
    init(_ one: JSONValue) { self.one = one }

    var path: String { "/api/v1/pim/imports/\(one["id"]?.string ?? "")" }
    var isRunning: Bool { one["state"]?.string == "running" }
    /// Whether all of its rows are in.
    var isClean: Bool { one["state"]?.string == "completed" && Self.int(one["rows"]?["refused"]) == 0 }
    var bytesDone: Int { Self.int(one["bytes_done"]) }
    var bytes: Int { Self.int(one["bytes"]) }

    /// How many rows were read and what became of them.
    var counts: String {
        let rows = one["rows"]
        let counts = ["created", "updated", "unchanged", "refused"].map { "\(Self.int(rows?[$0])) \($0)" }
        return "\(Self.int(rows?["read"])) rows: \(counts.joined(separator: ", "))"
    }

    /// How it ended, with the reason where it has one.
    var ending: String {
        let reason = one["reason"]?.string.map { " (\($0))" } ?? ""
        return "\(one["state"]?.string ?? "gone")\(reason): \(counts)"
    }

    /// The lines for a page of what was wrong, and one that says where the rest is.
    func faultLines(_ page: JSONValue) -> [String] {
        var lines = (page["data"]?.array ?? []).map { fault in
            let column = fault["column"]?.string.map { " \($0):" } ?? ""
            return "line \(Self.int(fault["line"])):\(column) \(fault["reason"]?.string ?? "")"
        }
        if page["next_cursor"]?.string != nil { lines.append("and more: GET \(path)/errors") }
        return lines
    }

    private static func int(_ value: JSONValue?) -> Int { Int(value?.integer ?? 0) }
}
