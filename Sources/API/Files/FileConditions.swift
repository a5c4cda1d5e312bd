import HTTPTypes
import Kernel

/// What a request for a file asks besides the file: whether it is new to the caller, and which part is wanted
/// (RFC 9110, 13 and 14).
struct FileConditions: Sendable, Equatable {
    enum Answer: Sendable, Equatable {
        case whole
        case part(Range<Int>)
        case notModified
        case preconditionFailed
        /// No byte of the range is in the file.
        case unsatisfiable
    }

    /// - Parameters:
    ///   - tag: the strong entity tag of what would be sent, quotes included.
    ///   - isGet: ranges are for GET alone.
    static func answer(
        to headers: HTTPFields, tag: String, changedAt: Timestamp, count: Int, isGet: Bool = true
    ) -> Answer {
        if let tags = headers[.ifMatch] {
            if !matches(tags, tag, isWeakEnough: false) { return .preconditionFailed }
        } else if let date = headers[.ifUnmodifiedSince].flatMap({ HTTPDate.parse($0) }),
            changedAt.seconds > date.seconds
        {
            return .preconditionFailed
        }
        if let tags = headers[.ifNoneMatch] {
            if matches(tags, tag, isWeakEnough: true) { return .notModified }
        } else if let date = headers[.ifModifiedSince].flatMap({ HTTPDate.parse($0) }),
            changedAt.seconds <= date.seconds
        {
            return .notModified
        }
        guard isGet, let range = headers[.range], isStill(headers[.ifRange], tag, changedAt) else { return .whole }
        return part(range, of: count)
    }

    /// Whether a list of entity tags, as `If-Match` and `If-None-Match` have it, names this one.
    static func matches(_ list: String, _ tag: String, isWeakEnough: Bool) -> Bool {
        list.split(separator: ",").contains { one in
            let one = String(one).trimmed
            return one == "*" || one == tag || isWeakEnough && one == "W/" + tag
        }
    }

    /// A part is only of use to a caller whose other parts are of the same file.
    private static func isStill(_ condition: String?, _ tag: String, _ changedAt: Timestamp) -> Bool {
        guard let condition else { return true }
        if condition.hasSuffix("\"") { return condition == tag }
        return HTTPDate.parse(condition)?.seconds == changedAt.seconds
    }

    /// One range of bytes. Several at once, and other units, are passed over, as the RFC allows: the whole is sent.
    private static func part(_ text: String, of count: Int) -> Answer {
        guard text.hasPrefix("bytes=") else { return .whole }
        let bounds = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.drop { $0 == " " }.prefix { $0 != " " } }
        func number(_ text: Substring) -> Int? {
            text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
        }
        guard bounds.count == 2 else { return .whole }
        if bounds[0].isEmpty {
            guard let tail = number(bounds[1]) else { return .whole }
            return tail == 0 || count == 0 ? .unsatisfiable : .part(max(0, count - tail)..<count)
        }
        guard let first = number(bounds[0]) else { return .whole }
        if bounds[1].isEmpty { return first < count ? .part(first..<count) : .unsatisfiable }
        guard let last = number(bounds[1]), last >= first else { return .whole }
        return first < count ? .part(first..<(min(last, count - 1) + 1)) : .unsatisfiable
    }

    /// Whether the caller takes gzip (RFC 9110, 12.5.3): named or by `*`, and not with a weight of zero.
    static func takesGzip(_ headers: HTTPFields) -> Bool {
        guard let list = headers[.acceptEncoding] else { return false }
        var any = false
        for entry in list.lowercased().split(separator: ",") {
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let name = parts.first else { continue }
            let isRefused = parts.dropFirst().contains { weight in
                weight.hasPrefix("q=") && weight.dropFirst(2).allSatisfy { $0 == "0" || $0 == "." }
            }
            if name == "gzip" || name == "x-gzip" { return !isRefused }
            if name == "*" { any = !isRefused }
        }
        return any
    }
}
