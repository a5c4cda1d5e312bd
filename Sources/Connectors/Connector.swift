import HTTPTypes
import Kernel
import Signing

/// The code for one provider: what its deliveries mean, and how its orders read.
///
/// Nothing here does input or output, and nothing here remembers: the same bytes always give the same answer.
package protocol Connector: Sendable {
    var description: ConnectorDescription { get }

    /// What has come in, told right after the signature was found good and before anything is stored.
    ///
    /// Runs for every delivery, so it scans out the few members it needs and builds no tree. It throws only what the
    /// sender is to be told with a 400; whatever else is wrong is stored first and parked by `order(from:event:)`.
    func arrival(_ request: VerifiedRequest) throws(ArrivalRefusal) -> Arrival

    /// The whole order that a stored delivery tells of. `event` is what `arrival` named it.
    func order(from body: [UInt8], event: String) throws(Untranslatable) -> OrderSnapshot

    /// Whether an unsigned request is a mere greeting: answered with exactly 200, stored nowhere, believed in nothing.
    func isGreeting(headers: HTTPFields, body: [UInt8]) -> Bool
}

extension Connector {
    package func isGreeting(headers: HTTPFields, body: [UInt8]) -> Bool { false }
}

/// What one delivery is, as far as it must be known before it is stored.
package struct Arrival: Equatable, Sendable {
    package enum Disposition: Equatable, Sendable {
        /// The order workflow runs over it.
        case importOrder
        /// It is kept and nothing follows from it; the reason is shown in the inbound log.
        case ignored(reason: String)
    }

    /// The event's name as the source wrote it, such as `accounting.order.created` or `order.updated`.
    package let event: String
    /// What else, beside the connection and the body's digest, tells an exact re-delivery from a different event.
    package let dedupeMaterial: String
    package let disposition: Disposition

    package init(event: String, dedupeMaterial: String, disposition: Disposition) {
        self.event = event
        self.dedupeMaterial = dedupeMaterial
        self.disposition = disposition
    }
}

/// Why a signed request is refused with 400; the description is fit for an answer.
package enum ArrivalRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case notJSON(JSONSyntaxError)
    case missing(String)

    package var description: String {
        switch self {
        case .notJSON(let error): "The body can't be read as JSON: \(error)."
        case .missing(let name): "The body has no \"\(name)\", or it is not a text."
        }
    }
}

/// Why a stored delivery can't become an order: what is wrong and where, for the person who looks at the parked row.
package struct Untranslatable: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where: member names and places joined by `/`, such as `data/line_items/2/quantity`; `body` for all of it.
    package let path: String
    package let detail: String

    package init(path: String, detail: String) {
        self.path = path
        self.detail = detail
    }

    package var description: String { "\(path): \(detail)" }
}
