/// A service's "no" to a caller, in words that may be shown. Services throw it without knowing how it travels: the
/// API gives it a status, the inbox parks by it.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// The request cannot be understood at all (400).
        case malformed
        /// Who is asking is not known, or the signature does not hold (401).
        case unauthenticated
        /// The asker is known and may not (403).
        case forbidden
        /// No such row, or one of another tenant (404).
        case notFound
        /// The rows stand in the way: a duplicate, a limit, a move that the state does not allow (409).
        case conflict
        /// It was there and is no more (410).
        case gone
        /// It has changed since the caller read it (412); the field `etag` is the present one.
        case stale
        /// Well formed, and still not acceptable (422); for single fields throw `InvalidDocument`.
        case invalid
        /// Too many requests (429).
        case tooMany
        /// It cannot be done now and may be later (503).
        case unavailable
    }

    /// A member that the answer carries besides the usual ones, such as the holder of a SKU.
    package struct Field: Hashable, Sendable {
        package let name: String
        package let value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    package let kind: Kind
    /// One plain sentence for the caller.
    package let sentence: String
    package let fields: [Field]
    /// Where in the document stands what is refused, if it stands in one.
    package let faults: [FieldFault]
    /// Whole seconds after which asking again may help.
    package let retryAfter: Int?

    package init(
        _ kind: Kind, _ sentence: String, fields: [Field] = [], faults: [FieldFault] = [], retryAfter: Int? = nil
    ) {
        self.kind = kind
        self.sentence = sentence
        self.fields = fields
        self.faults = faults
        self.retryAfter = retryAfter
    }

    /// The answer to an id that names nothing, and to one of another tenant alike.
    package static func notFound(_ what: String) -> Refusal {
        Refusal(.notFound, "There is no such \(what).")
    }

    /// The same for ids that a document names, each at its JSON pointer.
    package static func notFound(_ what: String, at pointers: [String], fields: [Field] = []) -> Refusal {
        Refusal(
            .notFound, "There is no such \(what).", fields: fields,
            faults: pointers.map { FieldFault(pointer: $0, detail: "there is no such \(what)") })
    }

    /// What stands in the way, in one sentence; `fields` may name it for programs.
    package static func conflict(_ sentence: String, fields: [Field] = []) -> Refusal {
        Refusal(.conflict, sentence, fields: fields)
    }

    package var description: String { "\(kind.rawValue): \(sentence)" }
}
