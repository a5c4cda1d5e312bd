import Events
import Kernel

package typealias OwnTypeID = ID<OwnType>

/// An event type that a tenant brought itself: all of its organisations may publish and subscribe to it.
package struct OwnType: Sendable {
    package let id: OwnTypeID
    /// `entity.action`; the entity is none of the catalogue's.
    package let name: String
    package let summary: String
    /// The JSON Schema as it was given.
    package let schema: JSONValue
    /// A payload that the schema accepts.
    package let example: JSONValue?
    package let version: Int64
    package let createdAt: Timestamp
    package let updatedAt: Timestamp

    /// The properties that the schema marks as confidential or restricted.
    package var withheldNames: [String] {
        (schema["properties"]?.object?.members ?? []).filter { member in
            let privacy = member.value["x-privacy"]?.string ?? Privacy.public.rawValue
            return privacy != Privacy.public.rawValue
        }.map(\.name)
    }

    package var entityType: String { String(name.prefix { $0 != "." }) }

    /// The payload's members by what may become of them: those that leave, and those that are withheld. A member whose
    /// property says nothing of `x-privacy` leaves.
    package func sides(of payload: JSONObject) -> (payload: [UInt8], withheld: [UInt8]?) {
        let closed = Set(withheldNames.map { Array($0.utf8) })
        let isClosed: (JSONObject.Member) -> Bool = { closed.contains(Array($0.name.utf8)) }
        let kept = payload.members.filter(isClosed)
        return (
            Self.object(payload.members.filter { !isClosed($0) }), kept.isEmpty ? nil : Self.object(kept)
        )
    }

    private static func object(_ members: [JSONObject.Member]) -> [UInt8] {
        JSONWriter.object { writer in for member in members { writer.field(member.name, member.value) } }
    }
}
