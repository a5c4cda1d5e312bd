/// How far a field of a payload may travel (seed 003, "Payload Data & Privacy").
package enum Privacy: String, Sendable, CaseIterable {
    /// Identity, status, dates, relation ids, selling prices: leaves by push and feed.
    case `public`
    /// Contact details, margins, notes: only through the authenticated API.
    case confidential
    /// Credentials and the like: only for admins.
    case restricted
}

/// One field of a payload. It can't be written without a privacy class, because it can't be named without one.
package struct EventField: Hashable, Sendable {
    package let name: String
    package let privacy: Privacy
    package let kind: Kind
    /// One sentence: the description in the JSON Schema and in the documentation.
    package let summary: String
    package let presence: Presence

    package init(_ name: String, _ privacy: Privacy, _ kind: Kind, _ summary: String, _ presence: Presence = []) {
        self.name = name
        self.privacy = privacy
        self.kind = kind
        self.summary = summary
        self.presence = presence
    }

    /// The fields of the object, or of each object in the list, that this one holds.
    package var children: [EventField] {
        switch kind {
        case .object(let fields), .objects(let fields): fields
        default: []
        }
    }

    /// What JSON the field holds; the JSON Schema of its type is derived from it.
    package indirect enum Kind: Hashable, Sendable {
        case text
        /// A UUID of ours. Ids of other systems are `text`.
        case uuid
        /// RFC 3339 in UTC with milliseconds.
        case time
        /// A number with decimals, such as an amount in major units.
        case decimal
        case integer
        case boolean
        case texts
        /// An object. Its fields share its privacy class, so each of them is declared public.
        case object([EventField])
        /// A list of objects, whose fields likewise share the list's class.
        case objects([EventField])
    }

    /// Whether a field may be null, or be left out. By default it is neither.
    package struct Presence: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Always there, and null where there is nothing to tell.
        package static let nullable = Presence(rawValue: 1)
        /// Left out where there is nothing to tell.
        package static let optional = Presence(rawValue: 2)
    }
}
