import Events
import Kernel

extension DomainEvent {
    /// The withheld fields of the payload that a caller may see: for `confidential` the confidential ones, for
    /// `restricted` these and the restricted ones, for `public` none.
    ///
    /// What is withheld is stored as one object; each field's class stands with its type in the code. A field whose
    /// class is not known any more counts as restricted.
    package func withheld(upTo clearance: Privacy) throws -> [JSONObject.Member] {
        guard clearance != .public, let withheld, let object = try JSONValue(parsing: withheld).object else {
            return []
        }
        let fields = EventCatalog.type(named: type)?.fields ?? []
        let classes = Dictionary(fields.map { ($0.name, $0.privacy) }) { first, _ in first }
        return object.members.filter { member in
            clearance == .restricted || (classes[member.name] ?? .restricted) == .confidential
        }
    }
}
