import Events
import Kernel
import Storage

package typealias CustomerID = ID<Customer>

/// Somebody who buys: a person or a business.
package struct Customer: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case individual
        case business
    }

    package enum Status: String, Sendable, CaseIterable {
        case active
        case inactive
        case churned
        case atRisk = "at_risk"
        case suspended

        /// The moves that there are. Who has churned can be won back, and who is suspended is let in again or leaves;
        /// only who buys can be at risk of leaving.
        package var nextStates: [Status] {
            switch self {
            case .active: [.inactive, .churned, .atRisk, .suspended]
            case .inactive: [.active, .churned, .suspended]
            case .churned: [.active, .suspended]
            case .atRisk: [.active, .inactive, .churned, .suspended]
            case .suspended: [.active, .inactive, .churned]
            }
        }
    }

    package let id: CustomerID
    package let scope: Scope
    package let kind: Kind
    package var status: Status
    package var firstName: String?
    package var lastName: String?
    package var companyName: String?
    package var email: String?
    package var phone: String?
    /// Confidential, like what the customer has spent.
    package var notes: String?
    package var lifetimeValue: Money?
    /// The user who looks after the customer.
    package var assignedTo: UserID?
    /// Tags and addresses as the members of one JSON object, kept as they are answered; nil when there are none.
    package var keptDetails: [UInt8]?
    /// What the customer is called in connected stores; read with the customer, written by the import.
    package var references: [Reference]
    package var version: Int64
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    /// When personal data was erased on request; nothing is changed from then on.
    package var erasedAt: Timestamp?

    package struct Reference: Sendable, Equatable {
        package let connection: ID<OrderSource>
        package let externalID: String
    }

    init(id: CustomerID, scope: Scope, kind: Kind, now: Timestamp) {
        self.id = id
        self.scope = scope
        self.kind = kind
        status = .active
        references = []
        version = 1
        createdAt = now
        updatedAt = now
    }

    /// What is searched and compared of an e-mail address.
    package var emailKey: String? { email?.trimmed.lowercased() }

    /// What the text search finds the customer by.
    var words: Set<String> { SearchWords.words(of: [firstName ?? "", lastName ?? "", companyName ?? ""]) }

    /// What events tell: nothing personal, whoever asks. An event outlives the request to be forgotten.
    package var payload: CustomerPayload {
        var payload = CustomerPayload(
            id: id.cast(), type: kind.rawValue, status: status.rawValue, createdAt: createdAt, updatedAt: updatedAt)
        payload.assignedTo = assignedTo
        payload.companyName = kind == .business ? companyName : nil
        payload.externalID = references.first?.externalID
        return payload
    }
}

/// The lists of a customer that no query looks into.
struct CustomerDetails: Sendable, Equatable {
    struct Address: Sendable, Equatable {
        let kind: String?
        let name: String?
        let line1: String?
        let line2: String?
        let city: String?
        let region: String?
        let postalCode: String?
        /// Two letters of ISO 3166-1.
        let country: String
    }

    var tags: [String]
    var addresses: [Address]

    static let empty = CustomerDetails(tags: [], addresses: [])

    /// The members `tags` and `addresses` as one JSON object.
    var json: [UInt8] {
        JSONWriter.object { writer in
            writer.arrayField("tags") { writer in for tag in tags { writer.string(tag) } }
            writer.arrayField("addresses") { writer in
                for address in addresses {
                    writer.object { writer in
                        writer.field("type", address.kind)
                        writer.field("name", address.name)
                        writer.field("line1", address.line1)
                        writer.field("line2", address.line2)
                        writer.field("city", address.city)
                        writer.field("region", address.region)
                        writer.field("postal_code", address.postalCode)
                        writer.field("country", address.country)
                    }
                }
            }
        }
    }

    var kept: [UInt8]? { self == .empty ? nil : json }

    init(tags: [String], addresses: [Address]) {
        self.tags = tags
        self.addresses = addresses
    }

    init(kept bytes: [UInt8]?) throws {
        guard let bytes else {
            self = .empty
            return
        }
        let value = try JSONValue(parsing: bytes)
        tags = value["tags"]?.array?.compactMap(\.string) ?? []
        addresses =
            value["addresses"]?.array?.map { one in
                Address(
                    kind: one["type"]?.string, name: one["name"]?.string, line1: one["line1"]?.string,
                    line2: one["line2"]?.string, city: one["city"]?.string, region: one["region"]?.string,
                    postalCode: one["postal_code"]?.string, country: one["country"]?.string ?? "")
            } ?? []
    }
}

extension Customer {
    /// The members `tags` and `addresses` without the braces around them, as they are answered.
    package var detailMembers: ArraySlice<UInt8> {
        (keptDetails ?? CustomerDetails.empty.json).dropFirst().dropLast()
    }
}
