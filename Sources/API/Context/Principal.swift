import Events
import Kernel

/// What a caller may do. A higher role includes the lower ones.
package enum Role: String, Sendable, CaseIterable, Comparable {
    case viewer
    case member
    case admin

    /// Reads a role as tokens of other issuers write it (`ADMIN`, `Member`); nil for any other word.
    package init?(anyCase text: some StringProtocol) {
        self.init(rawValue: text.lowercased())
    }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .member: 1
        case .admin: 2
        }
    }

    package static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }
}

/// Who is calling, as a verified token or key says it.
package struct Principal: Hashable, Sendable {
    package let scope: Scope
    package let user: UserID
    package let role: Role

    package init(scope: Scope, user: UserID, role: Role) {
        self.scope = scope
        self.user = user
        self.role = role
    }

    package init(tenant: TenantID, organisation: OrganisationID, user: UserID, role: Role) {
        self.init(scope: Scope(tenant: tenant, organisation: organisation), user: user, role: role)
    }

    package var tenant: TenantID { scope.tenant }
    package var organisation: OrganisationID { scope.organisation }

    /// The caller as events name who did something.
    package var actor: Actor { Actor(user: user, role: role.rawValue) }
}
