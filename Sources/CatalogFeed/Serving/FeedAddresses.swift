import Events
import Kernel
import Signing

/// Makes and reads the addresses of feed files: whoever has one may read that file until it expires, and nobody can
/// make one, or one of another file from it.
///
/// A token is base64url of version (1 byte), format (1), tenant (16), organisation (16), expiry in seconds since 1970
/// (8, big-endian), and the HMAC-SHA256 (32) of all before it.
package struct FeedAddresses: Sendable {
    /// What an address leads to.
    package struct Target: Sendable, Equatable {
        package let scope: Scope
        package let format: FeedFormat

        package init(scope: Scope, format: FeedFormat) {
            self.scope = scope
            self.format = format
        }
    }

    /// Why a token leads nowhere.
    package enum Fault: Error, Sendable, Equatable {
        /// It never was a token.
        case malformed
        /// It was altered, or signed with another key.
        case forged
        case expired
    }

    /// Long enough to begin a download after the redirect, and to resume one that broke off.
    package static let lifetime: Duration = .seconds(15 * 60)
    private static let version: UInt8 = 1
    private static let plainCount = 42

    private let key: HMACSHA256.Key

    /// - Parameter key: derived from the master key for this alone.
    package init(key: HMACSHA256.Key) { self.key = key }

    /// The path of a file, with a token that is good for `lifetime`.
    package func path(_ target: Target, now: Timestamp) -> String {
        var bytes: [UInt8] = [Self.version, UInt8(FeedPart(target.format).rawValue)]
        bytes += target.scope.tenant.bytes + target.scope.organisation.bytes
        let expiry = UInt64(max(0, (now + Self.lifetime).seconds))
        for shift in 1...8 { bytes.append(UInt8(truncatingIfNeeded: expiry >> UInt64(64 - shift * 8))) }
        let token = Base64.encode(bytes + HMACSHA256.code(key: key, over: bytes).bytes, .url)
        return "/feeds/\(token)/\(target.format.fileName)"
    }

    /// What a token leads to. The signature is judged before anything that it covers is believed.
    package func target(of token: String, now: Timestamp) throws(Fault) -> Target {
        guard let bytes = Base64.decode(token, .url), bytes.count == Self.plainCount + HMACSHA256.byteCount else {
            throw .malformed
        }
        let plain = Array(bytes[..<Self.plainCount])
        guard HMACSHA256.code(key: key, over: plain).matches(Array(bytes[Self.plainCount...])) else { throw .forged }
        guard plain[0] == Self.version,
            let format = FeedFormat.allCases.first(where: { FeedPart($0).rawValue == Int(plain[1]) }),
            let tenant = TenantID(bytes: plain[2..<18]), let organisation = OrganisationID(bytes: plain[18..<34])
        else { throw .malformed }
        let expiry = plain[34...].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        guard now.seconds < expiry else { throw .expired }
        return Target(scope: Scope(tenant: tenant, organisation: organisation), format: format)
    }
}
