import API
import Foundation
import Kernel
import Server
import TestSupport
import Testing

@Suite struct SettingsTests {
    private func read(
        flags: [SettingKey: String] = [:], environment: [String: String] = [:], file: String? = nil
    ) async throws -> Settings {
        guard let file else { return try await SettingsReader.read(flags: flags, environment: environment, file: nil) }
        return try await withTemporaryFolder { folder in
            let path = "\(folder)/tradewind.yaml"
            try Data(file.utf8).write(to: URL(fileURLWithPath: path))
            return try await SettingsReader.read(flags: flags, environment: environment, file: path)
        }
    }

    /// The error that reading ends with.
    private func failure(
        flags: [SettingKey: String] = [:], environment: [String: String] = [:], file: String? = nil
    ) async throws -> SettingError {
        let error = await #expect(throws: SettingError.self) {
            try await read(flags: flags, environment: environment, file: file)
        }
        return try #require(error)
    }

    // MARK: Defaults

    @Test("Without any setting the server is closed to the outside: loopback, embedded store, https only")
    func defaults() async throws {
        let settings = try await read()
        #expect(settings.dataDirectory == "./data")
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.databaseURL == nil)
        #expect(settings.publicURL == nil)
        #expect(settings.egress == EgressPolicy())
        #expect(settings.masterKey == nil)
        #expect(settings.gatewaySecret == nil)
        #expect(settings.tokens == .own)
        #expect(settings.logLevel == "info")
        #expect(settings.api.bodyBytesLimit == Limits.bodyBytes)
    }

    // MARK: Precedence

    @Test("A flag wins over the environment, that over the file, and that over the default")
    func precedence() async throws {
        let flags: [SettingKey: String] = [.listen: "127.0.0.1:1"]
        let environment = ["TRADEWIND_LISTEN": "127.0.0.1:2"]
        let file = "listen: 127.0.0.1:3\n"
        #expect(try await read(flags: flags, environment: environment, file: file).port == 1)
        #expect(try await read(environment: environment, file: file).port == 2)
        #expect(try await read(file: file).port == 3)
        #expect(try await read().port == 8080)
    }

    @Test("Each value is shown with where it came from")
    func sources() async throws {
        let settings = try await read(
            flags: [.dataDirectory: "/tmp/a"], environment: ["TRADEWIND_LOG_LEVEL": "debug"])
        let shown = Dictionary(uniqueKeysWithValues: settings.shown.map { ($0.key, $0) })
        #expect(shown["data_dir"]?.value == "/tmp/a")
        #expect(shown["data_dir"]?.source == "flag")
        #expect(shown["log_level"]?.value == "debug")
        #expect(shown["log_level"]?.source == "environment")
        #expect(shown["listen"]?.source == "default")
    }

    @Test("Secrets are read and never shown", arguments: [SettingKey.databaseURL, .masterKey, .gatewaySecret])
    func secrets(key: SettingKey) async throws {
        let value = "postgres://user:hunter2-hunter2@db/tradewind"
        let settings = try await read(environment: [key.environmentName: value])
        #expect(settings.shown.first { $0.key == key.rawValue }?.value == "***")
        #expect(!"\(settings)".contains("hunter2"))
        let held = [settings.databaseURL, settings.masterKey, settings.gatewaySecret].compactMap { $0 }
        #expect(held.map { $0.revealText(for: "the test") } == [value])
    }

    // MARK: The environment

    @Test("Every key has a variable of its own", arguments: SettingKey.allCases)
    func variables(key: SettingKey) {
        #expect(key.environmentName == "TRADEWIND_" + key.rawValue.uppercased())
    }

    @Test("An unknown variable stops the start, is named, and the known ones are listed")
    func unknownVariable() async throws {
        let error = try await failure(environment: ["TRADEWIND_LISTN": "127.0.0.1:1", "PATH": "/bin"])
        #expect(error.key == "TRADEWIND_LISTN")
        #expect(error.source == "environment")
        #expect(error.detail.contains("TRADEWIND_LISTEN"))
    }

    @Test("Variables of the commands that call a hub stop no start", arguments: ClientVariable.allCases)
    func clientVariables(_ variable: ClientVariable) async throws {
        let settings = try await read(environment: [variable.rawValue: "http://127.0.0.1:1"])
        #expect(settings.shown.allSatisfy { $0.source == "default" })
    }

    @Test("Variables of others are none of ours")
    func foreignVariables() async throws {
        let settings = try await read(environment: ["LISTEN": "127.0.0.1:1", "TRADEWINDS_LISTEN": "127.0.0.1:2"])
        #expect(settings.port == 8080)
    }

    // MARK: The file

    @Test("Numbers, flags and texts of YAML are read as what they are, quoted or not")
    func yaml() async throws {
        let settings = try await read(
            file: """
                # settings of a small shop
                listen: "0.0.0.0:9090"
                rate_limit_per_minute: 600
                body_limit_bytes: "2048"
                trusted_proxies: 1
                metrics_public: false
                egress_allow_http: true
                egress_allow: 10.0.0.0/8
                log_level: debug
                """)
        #expect(settings.host == "0.0.0.0")
        #expect(settings.port == 9090)
        #expect(settings.api.tokenRequestsPerMinute == 600)
        #expect(settings.api.bodyBytesLimit == 2048)
        #expect(settings.api.proxies == 1)
        #expect(!settings.api.metricsArePublic)
        #expect(settings.egress.allowsHTTP)
        #expect(settings.egress.allowedBlocks == [CIDRBlock("10.0.0.0/8")])
        #expect(settings.logLevel == "debug")
    }

    @Test("A list of YAML is as good as a text with commas")
    func yamlList() async throws {
        let settings = try await read(file: "egress_allow:\n  - 10.0.0.0/8\n  - 192.168.0.0/16\n")
        #expect(settings.egress.allowedBlocks == [CIDRBlock("10.0.0.0/8"), CIDRBlock("192.168.0.0/16")])
    }

    @Test("An unknown key of the file stops the start, is named, and the known ones are listed")
    func unknownKey() async throws {
        let error = try await failure(file: "listen: 127.0.0.1:1\nlisten_on: 127.0.0.1:2\n")
        #expect(error.key == "listen_on")
        #expect(error.source.hasSuffix("tradewind.yaml"))
        for key in SettingKey.allCases { #expect(error.detail.contains(key.rawValue)) }
    }

    @Test("A bad value of the file names the key, the file and what may stand there")
    func badFileValue() async throws {
        let error = try await failure(file: "trusted_proxies: many\n")
        #expect(error.key == "trusted_proxies")
        #expect(error.source.hasSuffix("tradewind.yaml"))
        #expect(error.detail.contains(SettingKey.trustedProxies.allowed))
    }

    @Test("A file that is not there, or is no YAML, stops the start", arguments: [nil, "listen: [1, 2\n"])
    func badFile(text: String?) async throws {
        if let text {
            _ = try await failure(file: text)
        } else {
            let error = await #expect(throws: SettingError.self) {
                try await SettingsReader.read(flags: [:], environment: [:], file: "/nowhere/tradewind.yaml")
            }
            #expect(error?.source == "/nowhere/tradewind.yaml")
        }
    }

    // MARK: Values

    @Test(
        "A value that can't be used stops the start, with the key and what is allowed",
        arguments: [
            (SettingKey.listen, "8080"), (.listen, "127.0.0.1:"), (.listen, ":8080"), (.listen, "a:70000"),
            (.listen, "a:-1"), (.databaseURL, "mysql://a/b"), (.publicURL, "https://a.example/path"),
            (.publicURL, "a.example"), (.egressAllow, "10.0.0.0/33"), (.egressAllow, "10.0.0.0/8,home"),
            (.egressAllowHTTP, "perhaps"), (.gatewaySecret, "short"), (.keySetURL, "ftp://a.example"),
            (.rateLimit, "-1"), (.rateLimit, "1.5"), (.rateLimit, "many"), (.bodyLimit, "1023"),
            (.bodyLimit, "10485761"), (.metricsPublic, "2"), (.trustedProxies, "11"), (.retentionDaysMost, "0"),
            (.logLevel, "loud"),
        ])
    func badValues(key: SettingKey, value: String) async throws {
        let error = try await failure(flags: [key: value])
        #expect(error.key == key.rawValue)
        #expect(error.source == "flag")
        #expect(error.detail.contains(key.allowed))
        // Of a list only the element at fault is named.
        let fault = value.split(separator: ",").last ?? ""
        #expect(error.detail.contains(fault) != key.isSecret)
    }

    @Test(
        "An address is a name or a number with a port; IPv6 stands in brackets",
        arguments: [
            ("localhost:0", "localhost", 0), ("0.0.0.0:80", "0.0.0.0", 80), ("[::1]:65535", "::1", 65_535),
        ])
    func addresses(text: String, host: String, port: Int) async throws {
        let settings = try await read(flags: [.listen: text])
        #expect(settings.host == host)
        #expect(settings.port == port)
    }

    @Test("Blocks may have blanks around their commas, and a single address is a block of its own")
    func blocks() async throws {
        let settings = try await read(flags: [.egressAllow: "10.0.0.0/8, 127.0.0.1 ,fc00::/7"])
        #expect(settings.egress.allowedBlocks.map(\.description) == ["10.0.0.0/8", "127.0.0.1/32", "fc00::/7"])
    }

    @Test("Tokens of another issuer are known by a file or an address, with what they must carry")
    func tokenSources() async throws {
        let file = try await read(flags: [.keySetFile: "keys.json", .tokenIssuer: "https://id.example"])
        #expect(file.tokens == .file(path: "keys.json", issuer: "https://id.example", audience: nil))
        let address = try await read(flags: [.keySetURL: "https://id.example/keys", .tokenAudience: "tradewind"])
        #expect(address.tokens == .address(url: "https://id.example/keys", issuer: nil, audience: "tradewind"))
    }

    @Test("A rate limit of zero is none, and an address has twice a token's")
    func rateLimit() async throws {
        let settings = try await read(flags: [.rateLimit: "0"])
        #expect(settings.api.tokenRequestsPerMinute == 0)
        #expect(settings.api.addressRequestsPerMinute == 0)
        #expect(try await read(flags: [.rateLimit: "300"]).api.addressRequestsPerMinute == 600)
    }
}
