import Kernel

/// The frame `{connection_id, event, data}` around every event of the gateway (seed 001), scanned without a tree.
///
/// The intake reads it once before the signature is checked, because only `connectionID` says whose secret to check
/// with. Until then nothing in it may be believed, shown or stored.
package struct UnifiedEnvelope: Equatable, Sendable {
    package let connectionID: String
    package let event: String
    /// Where the bytes of `data` stand in the body; nil when there are none.
    package let data: Range<Int>?

    /// Scans a body; its errors are the 400 cases of the inbound route.
    package static func scan(_ body: [UInt8]) throws(ArrivalRefusal) -> UnifiedEnvelope {
        let scan: JSONScan
        do throws(JSONSyntaxError) {
            scan = try JSONScan(body, for: ["connection_id", "event", "data"])
        } catch {
            throw .notJSON(error)
        }
        guard let connectionID = named(scan[0]) else { throw .missing("connection_id") }
        guard let event = named(scan[1]) else { throw .missing("event") }
        return UnifiedEnvelope(connectionID: connectionID, event: event, data: scan[2]?.range)
    }

    private static func named(_ member: JSONScan.Member?) -> String? {
        guard let text = member?.string, !text.allSatisfy(\.isWhitespace) else { return nil }
        return text
    }
}
