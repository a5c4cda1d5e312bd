import Kernel

/// What a caller says about the version that its change is meant for (`If-Match` of RFC 9110).
package enum VersionMatch: Sendable, Equatable {
    case any
    case oneOf([Int64])

    /// Refuses when the row has moved on. The answer carries the present version's ETag, so that the caller knows what
    /// to read again.
    func require(_ version: Int64) throws(Refusal) {
        guard case .oneOf(let versions) = self, !versions.contains(version) else { return }
        throw Refusal(
            .stale, "It was changed in between: its present version is \(version).",
            fields: [Refusal.Field("etag", .string(VersionMatch.etag(version)))])
    }

    /// The header's form of a version: a strong validator.
    package static func etag(_ version: Int64) -> String { "\"\(version)\"" }
}

extension Refusal {
    /// A move between states that there is not; the answer lists those that there are.
    static func noMove<State: RawRepresentable<String>>(
        _ what: String, from: State, to: State, allowed: [State]
    ) -> Refusal {
        let names = allowed.map(\.rawValue)
        return Refusal.conflict(
            "A \(what) can't go from \(from.rawValue) to \(to.rawValue)"
                + (names.isEmpty ? "; its state is final." : "; it can go to \(names.joined(separator: ", "))."),
            fields: [Refusal.Field("allowed", .array(names.map { .string($0) }))])
    }
}
