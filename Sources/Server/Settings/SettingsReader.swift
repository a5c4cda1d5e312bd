import API
import Configuration
import Kernel
import SystemPackage
import Webhooks

/// Reads settings from flags, then the environment, then the file, then defaults: the first that has a key wins.
package struct SettingsReader {
    private let sources: [(name: String, reader: ConfigReader)]
    private var shown: [Settings.Shown] = []

    /// - Parameters:
    ///   - flags: what the command line gave, by key.
    ///   - environment: the process's variables; those that begin with `TRADEWIND_` must be known.
    ///   - file: path of a YAML file with one `key: value` a line.
    package static func read(
        flags: [SettingKey: String], environment: [String: String], file: String?
    ) async throws -> Settings {
        try refuseUnknown(environment)
        let variables = environment.filter { $0.key.hasPrefix("TRADEWIND_") }
        let flagValues = Dictionary(
            uniqueKeysWithValues: flags.map { key, value in
                (AbsoluteConfigKey([key.rawValue], context: [:]), ConfigValue(.string(value), isSecret: key.isSecret))
            })
        var sources: [(String, ConfigReader)] = [
            ("flag", ConfigReader(provider: InMemoryProvider(values: flagValues))),
            (
                "environment",
                ConfigReader(
                    provider: EnvironmentVariablesProvider(environmentVariables: variables)
                        .prefixKeys(with: "tradewind"))
            ),
        ]
        if let file {
            let values = try await SettingsFile.values(at: file)
            let entries = Dictionary(
                uniqueKeysWithValues: values.map { key, value in
                    (
                        AbsoluteConfigKey([key.rawValue], context: [:]),
                        ConfigValue(.string(value), isSecret: key.isSecret)
                    )
                })
            sources.append((file, ConfigReader(provider: InMemoryProvider(values: entries))))
        }
        var reader = SettingsReader(sources: sources)
        return try reader.settings()
    }

    private init(sources: [(name: String, reader: ConfigReader)]) { self.sources = sources }

    private static func refuseUnknown(_ environment: [String: String]) throws {
        let known = Set(SettingKey.allCases.map(\.environmentName))
        // The crash points of the tests are no setting; see `CrashPoint`.
        let ours = environment.keys.filter { $0.hasPrefix("TRADEWIND_") && !$0.hasPrefix("TRADEWIND_TEST_") }
        for name in ours.sorted()
        where !known.contains(name) && name != "TRADEWIND_CRASH_AT" && ClientVariable(rawValue: name) == nil {
            throw SettingError(
                key: name, source: "environment",
                detail: "is unknown; known are \(known.sorted().joined(separator: ", "))")
        }
    }

    // MARK: Values

    private mutating func text(_ key: SettingKey, default fallback: String? = nil) -> (value: String, source: String)? {
        for (name, reader) in sources {
            if let value = reader.string(forKey: ConfigKey(key.rawValue), isSecret: key.isSecret), !value.isEmpty {
                shown.append(.init(key: key.rawValue, value: key.isSecret ? "***" : value, source: name))
                return (value, name)
            }
        }
        guard let fallback else { return nil }
        shown.append(.init(key: key.rawValue, value: fallback, source: "default"))
        return (fallback, "default")
    }

    private func bad(_ key: SettingKey, _ found: (value: String, source: String)) -> SettingError {
        let value = key.isSecret ? "the value" : "\"\(found.value)\""
        return SettingError(
            key: key.rawValue, source: found.source, detail: "\(value) can't be used; it must be \(key.allowed)")
    }

    private mutating func flag(_ key: SettingKey, default fallback: Bool) throws -> Bool {
        guard let found = text(key, default: fallback ? "true" : "false") else { return fallback }
        guard let value = Bool(found.value.lowercased()) else { throw bad(key, found) }
        return value
    }

    private mutating func number(_ key: SettingKey, in range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let found = text(key, default: String(fallback)) else { return fallback }
        guard let value = Int(found.value), range.contains(value) else { throw bad(key, found) }
        return value
    }

    private mutating func secret(_ key: SettingKey, atLeast characters: Int) throws -> Secret? {
        guard let found = text(key) else { return nil }
        guard found.value.count >= characters else { throw bad(key, found) }
        return Secret(found.value)
    }

    // MARK: The whole

    private mutating func settings() throws -> Settings {
        let (host, port) = try address()
        let level = text(.logLevel, default: "info")
        let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
        if let level, !levels.contains(level.value) { throw bad(.logLevel, level) }
        var settings = Settings(
            dataDirectory: text(.dataDirectory, default: "./data")?.value ?? "./data", host: host, port: port,
            databaseURL: try databaseURL(), publicURL: try publicURL(), egress: try egress(),
            egressCAFile: text(.egressCAFile)?.value,
            masterKey: try secret(.masterKey, atLeast: 1), gatewaySecret: try secret(.gatewaySecret, atLeast: 16),
            tokens: try tokens(), api: APISettings(), worksInBackground: try flag(.backgroundWork, default: true),
            retentionDaysMost: try number(
                .retentionDaysMost, in: 1...3650, default: RetentionPolicy.daysMostDefault),
            logLevel: level?.value ?? "info", shown: [])
        let perMinute = try number(
            .rateLimit, in: 0...100_000_000, default: settings.api.tokenRequestsPerMinute)
        settings.api.tokenRequestsPerMinute = perMinute
        // One address may stand for a few callers behind one gateway.
        settings.api.addressRequestsPerMinute = perMinute * 2
        settings.api.bodyBytesLimit = try number(
            .bodyLimit, in: 1024...Limits.bodyBytesMost, default: Limits.bodyBytes)
        settings.api.importBytesLimit = try number(
            .importLimit, in: 1024...Limits.importBytesMost, default: Limits.importBytes)
        settings.api.metricsArePublic = try flag(.metricsPublic, default: true)
        settings.api.proxies = try number(.trustedProxies, in: 0...10, default: 0)
        settings.shown = shown
        return settings
    }

    private mutating func address() throws -> (host: String, port: Int) {
        guard let found = text(.listen, default: "127.0.0.1:8080"), let colon = found.value.lastIndex(of: ":"),
            let port = Int(found.value[found.value.index(after: colon)...]), (0...65_535).contains(port)
        else { throw bad(.listen, text(.listen) ?? ("", "default")) }
        var host = String(found.value[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.isEmpty { throw bad(.listen, found) }
        return (host, port)
    }

    private mutating func databaseURL() throws -> Secret? {
        guard let found = text(.databaseURL) else { return nil }
        guard found.value.hasPrefix("postgres://") || found.value.hasPrefix("postgresql://") else {
            throw bad(.databaseURL, found)
        }
        return Secret(found.value)
    }

    private mutating func publicURL() throws -> String? {
        guard let found = text(.publicURL) else { return nil }
        let rest = found.value.split(separator: "://", maxSplits: 1)
        guard rest.count == 2, ["https", "http"].contains(rest[0]), !rest[1].contains("/"), !rest[1].isEmpty else {
            throw bad(.publicURL, found)
        }
        return found.value
    }

    private mutating func egress() throws -> EgressPolicy {
        var blocks: [CIDRBlock] = []
        if let found = text(.egressAllow) {
            for part in found.value.split(separator: ",") {
                let text = part.drop { $0 == " " }.prefix { $0 != " " }
                guard let block = CIDRBlock(text) else { throw bad(.egressAllow, (String(part), found.source)) }
                blocks.append(block)
            }
        }
        return EgressPolicy(allowedBlocks: blocks, allowsHTTP: try flag(.egressAllowHTTP, default: false))
    }

    private mutating func tokens() throws -> Settings.TokenSource {
        let issuer = text(.tokenIssuer)?.value
        let audience = text(.tokenAudience)?.value
        if let file = text(.keySetFile) { return .file(path: file.value, issuer: issuer, audience: audience) }
        guard let address = text(.keySetURL) else { return .own }
        guard address.value.hasPrefix("https://") || address.value.hasPrefix("http://") else {
            throw bad(.keySetURL, address)
        }
        return .address(url: address.value, issuer: issuer, audience: audience)
    }
}
