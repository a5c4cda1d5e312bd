import Hummingbird
import Kernel

/// Reads the query of a list and collects what is wrong with it, pointers named after the parameters.
package struct QueryReader {
    private let parameters: Parameters
    private(set) var faults: [FieldFault] = []

    package init(_ request: Request) { parameters = request.uri.queryParameters }

    /// Adds a fault of the caller's own finding, under the parameter's name.
    package mutating func fault(_ name: String, _ detail: String) {
        faults.append(FieldFault(pointer: "/\(name)", detail: detail))
    }

    /// A parameter's text; nil when it is missing or empty. A NUL is a fault: no store takes one in a text.
    package mutating func text(_ name: String) -> String? {
        guard let text = parameters[name[...]], !text.isEmpty else { return nil }
        if text.utf8.contains(0) {
            fault(name, "must not hold the character NUL")
            return nil
        }
        return String(text)
    }

    /// A whole number within bounds; anything else is a fault and reads as missing.
    package mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            fault(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// An id as UUID or ULID; anything else is a fault and reads as missing.
    package mutating func id<Kind>(_ name: String, of _: Kind.Type = Kind.self) -> ID<Kind>? {
        guard let text = text(name) else { return nil }
        if let id = ID<Kind>(text) { return id }
        fault(name, "must be a UUID")
        return nil
    }

    /// An instant of RFC 3339; anything else is a fault and reads as missing.
    package mutating func time(_ name: String) -> Timestamp? {
        guard let text = text(name) else { return nil }
        if let time = Timestamp(text) { return time }
        fault(name, "must be a time of RFC 3339")
        return nil
    }

    /// One of an enum's raw values; anything else is a fault that lists them.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of _: Choice.Type = Choice.self
    ) -> Choice? {
        guard let text = text(name) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        fault(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }

    /// `true` or `false`; anything else is a fault and reads as missing.
    package mutating func flag(_ name: String) -> Bool? { choice(name, of: Truth.self).map { $0 == .yes } }

    private enum Truth: String, CaseIterable {
        case yes = "true"
        case no = "false"
    }

    /// `limit` as lists take it: 50 when not given, at most `most`.
    package mutating func limit(most: Int = Limits.pageRows) -> Int {
        integer("limit", in: 1...most) ?? min(most, Limits.pageRowsDefault)
    }

    /// Throws what has been collected.
    package func finish() throws(InvalidDocument) {
        if !faults.isEmpty { throw InvalidDocument(faults) }
    }
}

extension RequestContext {
    /// An id of the path; a text that is none names nothing, so it is answered as an unknown one is.
    package func id<Kind>(_ name: String = "id", of what: String, _: Kind.Type = Kind.self) throws -> ID<Kind> {
        guard let text = parameters.get(name), let id = ID<Kind>(text) else { throw Problem.notFound(what) }
        return id
    }
}

extension JSONResponse {
    /// A page of a list in its usual shape: `{data, next_cursor}`. Stores are asked for one row more than `limit`,
    /// which tells whether there is a next page.
    package static func page<Row, Kind>(
        _ rows: [Row], limit: Int, cursor: (Row) -> ID<Kind>, _ write: (Row, inout JSONWriter) -> Void
    ) -> JSONResponse {
        page(rows, limit: limit, cursor: { cursor($0).description }, write)
    }

    /// The same for a list whose cursors are more than an id.
    package static func page<Row>(
        _ rows: [Row], limit: Int, cursor: (Row) -> String, _ write: (Row, inout JSONWriter) -> Void
    ) -> JSONResponse {
        let shown = rows.prefix(limit)
        return JSONResponse { writer in
            writer.arrayField("data") { writer in
                for row in shown { writer.object { writer in write(row, &writer) } }
            }
            writer.field("next_cursor", rows.count > limit ? shown.last.map(cursor) : nil)
        }
    }
}
