import API
import Kernel

/// All that an operator can set, read and checked. Every field has a key of the same name in `SettingKey`.
package struct Settings: Sendable {
    /// Where the embedded store, the master key and the issuer's key lie.
    package var dataDirectory: String
    package var host: String
    package var port: Int
    /// A libpq URL; nil for the embedded store.
    package var databaseURL: Secret?
    /// The base of addresses that others are given; nil for none.
    package var publicURL: String?
    package var egress: EgressPolicy
    /// A PEM file with authorities whose certificates endpoints may show besides those that the system trusts.
    package var egressCAFile: String?
    /// Key material given by the operator; nil for the file in the data directory.
    package var masterKey: Secret?
    /// The secret of a gateway that signs for all connections.
    package var gatewaySecret: Secret?
    package var tokens: TokenSource
    package var api: APISettings
    /// Whether this copy imports and delivers, or leaves both to others.
    package var worksInBackground: Bool
    /// Days that no tenant may hold its events for longer.
    package var retentionDaysMost: Int
    package var logLevel: String
    /// Where each value came from, for `doctor`: key, value as it may be shown, source.
    package var shown: [Shown]

    /// Whose tokens are accepted.
    package enum TokenSource: Sendable, Equatable {
        /// Our own issuer, whose key lies in the data directory.
        case own
        case file(path: String, issuer: String?, audience: String?)
        case address(url: String, issuer: String?, audience: String?)
    }

    package struct Shown: Sendable, Equatable {
        package let key: String
        package let value: String
        package let source: String
    }
}

/// A key that can be set: by flag, by `TRADEWIND_…` in the environment, and by name in the configuration file.
package enum SettingKey: String, CaseIterable, Sendable {
    case dataDirectory = "data_dir"
    case listen
    case databaseURL = "database_url"
    case publicURL = "public_url"
    case egressAllow = "egress_allow"
    case egressAllowHTTP = "egress_allow_http"
    case egressCAFile = "egress_ca_file"
    case masterKey = "master_key"
    case gatewaySecret = "gateway_secret"
    case keySetFile = "jwks_file"
    case keySetURL = "jwks_url"
    case tokenIssuer = "jwt_issuer"
    case tokenAudience = "jwt_audience"
    case rateLimit = "rate_limit_per_minute"
    case bodyLimit = "body_limit_bytes"
    case importLimit = "import_limit_bytes"
    case metricsPublic = "metrics_public"
    case trustedProxies = "trusted_proxies"
    case backgroundWork = "background_work"
    case retentionDaysMost = "retention_days_most"
    case logLevel = "log_level"

    /// What may stand there, in the words of an error and of the documentation.
    package var allowed: String {
        switch self {
        case .dataDirectory: "a folder that this process may write to"
        case .listen: "HOST:PORT, such as 127.0.0.1:8080"
        case .databaseURL: "a postgres:// URL; left out, the embedded store is used"
        case .publicURL: "an https URL without a path"
        case .egressAllow: "CIDR blocks, separated by commas, such as 10.0.0.0/8"
        case .egressAllowHTTP, .metricsPublic, .backgroundWork: "true or false"
        case .egressCAFile: "the path of a PEM file with certificates of authorities"
        case .masterKey: "32 bytes as base64"
        case .gatewaySecret: "at least 16 characters"
        case .keySetFile: "the path of a JSON Web Key Set"
        case .keySetURL: "the https URL of a JSON Web Key Set"
        case .tokenIssuer, .tokenAudience: "a text that tokens must carry as iss or aud"
        case .rateLimit: "a whole number of requests; 0 for no limit"
        case .bodyLimit: "a whole number from 1024 to \(Limits.bodyBytesMost)"
        case .importLimit: "a whole number from 1024 to \(Limits.importBytesMost)"
        case .retentionDaysMost: "a whole number from 1 to 3650"
        case .trustedProxies: "a whole number from 0 to 10"
        case .logLevel: "trace, debug, info, notice, warning, error or critical"
        }
    }

    package var isSecret: Bool { self == .databaseURL || self == .masterKey || self == .gatewaySecret }

    package var environmentName: String { "TRADEWIND_" + rawValue.uppercased() }
}

/// A setting that can't be used. It stops the start.
package struct SettingError: Error, CustomStringConvertible {
    package let key: String
    package let source: String
    package let detail: String

    package var description: String { "setting \(key) (from \(source)): \(detail)" }
}
