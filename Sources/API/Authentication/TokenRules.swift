import Events
import Kernel

/// What a token must claim before its holder is believed.
package struct TokenRules: Sendable {
    /// The `iss` that tokens must carry; nil takes any.
    package var issuer: String?
    /// The `aud` that tokens must name, alone or in a list; nil takes any.
    package var audience: String?
    /// How far the issuer's clock may be off.
    package var leeway: Duration

    package init(issuer: String?, audience: String?, leeway: Duration = .seconds(30)) {
        self.issuer = issuer
        self.audience = audience
        self.leeway = leeway
    }

    /// The principal of a token whose signature holds, and when the token ends.
    func judge(_ claims: JSONObject, now: Timestamp) throws(TokenError) -> (principal: Principal, expiry: Timestamp) {
        guard let expiry = seconds(claims["exp"]) else { throw TokenError("The token has no expiry.") }
        guard now - leeway < expiry else { throw TokenError("The token has expired.") }
        if let start = claims["nbf"] {
            guard let start = seconds(start) else { throw TokenError("The token's nbf is not a time.") }
            guard start <= now + leeway else { throw TokenError("The token is not valid yet.") }
        }
        if let issuer, claims["iss"]?.string != issuer {
            throw TokenError("The token is from another issuer.")
        }
        if let audience, !names(claims["aud"], audience) {
            throw TokenError("The token is for another audience.")
        }
        guard let tenant = claims["tenant_id"]?.string.flatMap({ TenantID($0) }),
            let organisation = claims["org_id"]?.string.flatMap({ OrganisationID($0) }),
            let user = claims["sub"]?.string.flatMap({ UserID($0) })
        else { throw TokenError("The token's tenant_id, org_id and sub must be UUIDs.") }
        guard let role = claims["role"]?.string.flatMap({ Role(anyCase: $0) }) else {
            throw TokenError("The token's role is none of admin, member and viewer.")
        }
        let scope = Scope(tenant: tenant, organisation: organisation)
        return (Principal(scope: scope, user: user, role: role), expiry)
    }

    private func names(_ claim: JSONValue?, _ audience: String) -> Bool {
        claim?.string == audience || claim?.array?.contains { $0.string == audience } == true
    }

    /// A NumericDate; some issuers write a fraction, which is cut off. Beyond the year 9999 nothing is meant.
    private func seconds(_ claim: JSONValue?) -> Timestamp? {
        guard case .number(let text)? = claim, let whole = Int64(text.prefix { $0 != "." && $0 != "e" && $0 != "E" }),
            !text.contains(where: { $0 == "e" || $0 == "E" }), whole >= 0, whole <= 253_402_300_799
        else { return nil }
        return Timestamp(milliseconds: whole * 1000)
    }
}
