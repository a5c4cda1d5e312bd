// swift-tools-version: 6.2
import PackageDescription

// Versions are pinned to a minor because the project keeps no Package.resolved:
// a fresh clone must build what was tested.
let dependencies: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-argument-parser.git", .upToNextMinor(from: "1.8.2")),
    .package(url: "https://github.com/apple/swift-collections.git", .upToNextMinor(from: "1.6.0")),
    .package(
        url: "https://github.com/apple/swift-configuration.git", .upToNextMinor(from: "1.4.0"),
        traits: ["YAML", "CommandLineArguments"]),
    .package(url: "https://github.com/apple/swift-crypto.git", .upToNextMinor(from: "4.5.2")),
    .package(url: "https://github.com/apple/swift-http-types.git", .upToNextMinor(from: "1.8.0")),
    .package(url: "https://github.com/apple/swift-log.git", .upToNextMinor(from: "1.16.2")),
    .package(url: "https://github.com/apple/swift-metrics.git", .upToNextMinor(from: "2.13.0")),
    .package(url: "https://github.com/apple/swift-nio.git", .upToNextMinor(from: "2.101.2")),
    .package(url: "https://github.com/apple/swift-nio-extras.git", .upToNextMinor(from: "1.35.2")),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", .upToNextMinor(from: "2.37.6")),
    .package(url: "https://github.com/apple/swift-system.git", .upToNextMinor(from: "1.8.1")),
    .package(url: "https://github.com/groue/GRDB.swift.git", .upToNextMinor(from: "7.10.0")),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", .upToNextMinor(from: "2.28.1")),
    .package(url: "https://github.com/swift-server/async-http-client.git", .upToNextMinor(from: "1.37.0")),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", .upToNextMinor(from: "2.13.0")),
    .package(url: "https://github.com/vapor/jwt-kit.git", .upToNextMinor(from: "5.7.1")),
]

extension Target.Dependency {
    static let argumentParser: Self = .product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncHTTPClient: Self = .product(name: "AsyncHTTPClient", package: "async-http-client")
    static let collections: Self = .product(name: "DequeModule", package: "swift-collections")
    static let configuration: Self = .product(name: "Configuration", package: "swift-configuration")
    static let crypto: Self = .product(name: "Crypto", package: "swift-crypto")
    static let grdb: Self = .product(name: "GRDB", package: "GRDB.swift")
    static let sqlite: Self = .product(name: "GRDBSQLite", package: "GRDB.swift")
    static let httpTypes: Self = .product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbird: Self = .product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore: Self = .product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbirdTesting: Self = .product(name: "HummingbirdTesting", package: "hummingbird")
    static let jwtKit: Self = .product(name: "JWTKit", package: "jwt-kit")
    static let logging: Self = .product(name: "Logging", package: "swift-log")
    static let metrics: Self = .product(name: "Metrics", package: "swift-metrics")
    static let nioCore: Self = .product(name: "NIOCore", package: "swift-nio")
    static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTPTypes: Self = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioHTTPTypesHTTP1: Self = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
    static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
    static let nioTLS: Self = .product(name: "NIOTLS", package: "swift-nio")
    static let nioSSL: Self = .product(name: "NIOSSL", package: "swift-nio-ssl")
    static let serviceLifecycle: Self = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals: Self = .product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let systemPackage: Self = .product(name: "SystemPackage", package: "swift-system")
}

let targets: [Target] = [
    // Values and decisions: no input or output in any of these.
    .target(name: "Kernel", dependencies: [.httpTypes]),
    .target(name: "Events", dependencies: ["Kernel"]),
    .target(name: "Signing", dependencies: ["Kernel", .crypto, .httpTypes]),
    .target(name: "Connectors", dependencies: ["Kernel", "Signing", .httpTypes]),

    // One contract, two engines.
    .target(
        name: "Storage", dependencies: ["Kernel"], resources: [.embedInCode("Migrations")]),
    .target(name: "StorageSQLite", dependencies: ["Kernel", "Storage", .grdb, .sqlite, .logging]),
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .target(name: "StoragePostgres", dependencies: ["Kernel", "Storage", "CPostgres", .logging]),

    // Capabilities.
    .target(name: "Durable", dependencies: ["Kernel", "Storage", .logging, .serviceLifecycle]),
    .target(name: "Commerce", dependencies: ["Kernel", "Events", "Storage", "Durable", "Webhooks"]),
    .target(
        name: "Webhooks",
        dependencies: [
            "Kernel", "Events", "Signing", "Storage", "Durable", .collections, .httpTypes, .logging,
            .serviceLifecycle,
        ]),
    .target(
        name: "Integrations",
        dependencies: [
            "Kernel", "Events", "Signing", "Connectors", "Storage", "Durable", "Commerce", "Webhooks", .collections,
            .httpTypes, .logging, .serviceLifecycle,
        ]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
        name: "CatalogFeed",
        dependencies: ["Kernel", "Events", "Signing", "Storage", "Commerce", "CZlib", .logging, .serviceLifecycle]),
    .target(
        name: "ProviderClient",
        dependencies: [
            "Kernel", .asyncHTTPClient, .httpTypes, .logging, .nioCore, .nioHTTP1, .nioPosix, .nioSSL,
        ]),

    .target(
        name: "DeliveryClient",
        dependencies: ["Kernel", .httpTypes, .logging, .nioCore, .nioPosix, .nioSSL, .nioTLS]),

    // Doors.
    .target(
        name: "API",
        dependencies: [
            "Kernel", "Events", "Signing", "Connectors", "Storage", "Durable", "Commerce", "Webhooks", "Integrations",
            "CatalogFeed", .hummingbird, .hummingbirdCore, .jwtKit, .crypto, .httpTypes, .nioCore, .nioHTTP1,
            .nioHTTPTypes, .nioHTTPTypesHTTP1, .logging, .metrics,
        ]),
    .target(
        name: "Server",
        dependencies: [
            "Kernel", "Events", "Signing", "Connectors", "Storage", "StorageSQLite", "StoragePostgres", "Durable",
            "Commerce", "Webhooks", "Integrations", "CatalogFeed", "ProviderClient", "DeliveryClient", "API",
            .configuration, .hummingbird, .hummingbirdCore, .logging, .httpTypes, .metrics, .nioCore, .nioPosix,
            .serviceLifecycle, .systemPackage,
            .unixSignals,
        ], resources: [.embedInCode("Development/Recordings")]),
    .executableTarget(
        name: "tradewind",
        dependencies: [
            "Kernel", "Events", "Signing", "Webhooks", "API", "Server", .argumentParser, .asyncHTTPClient, .httpTypes,
            .logging, .nioCore, .nioHTTP1, .nioPosix, .systemPackage, .unixSignals,
        ]),
]

let tests: [Target] = [
    // Kits that the tests of several targets use.
    .target(name: "TestSupport", dependencies: ["Kernel", "Storage", "StorageSQLite", "StoragePostgres", .nioSSL]),
    .target(name: "StorageTesting", dependencies: ["Kernel", "Storage", "TestSupport"]),

    // A receiver to copy: built here, so that it is known to work, and in no product.
    .executableTarget(
        name: "ReceiverExample", dependencies: [.crypto, .hummingbird, .httpTypes, .nioCore], path: "examples/swift"),

    .testTarget(name: "KernelTests", dependencies: ["Kernel"], resources: [.copy("Vectors")]),
    .testTarget(
        name: "ProviderClientTests",
        dependencies: ["Kernel", "ProviderClient", .httpTypes, .logging, .nioCore, .nioPosix]),
    .testTarget(
        name: "DeliveryClientTests",
        dependencies: [
            "Kernel", "DeliveryClient", "TestSupport", .httpTypes, .logging, .nioCore, .nioPosix, .nioSSL,
        ]),
    .testTarget(
        name: "SigningTests", dependencies: ["Kernel", "Signing", .crypto, .httpTypes], resources: [.copy("Vectors")]),
    .testTarget(
        name: "ConnectorsTests", dependencies: ["Kernel", "Signing", "Connectors", "TestSupport", .httpTypes],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "StorageTests",
        dependencies: ["Kernel", "Storage", "StorageSQLite", "StoragePostgres", "StorageTesting", "TestSupport"]),
    .testTarget(name: "EventsTests", dependencies: ["Kernel", "Events", "TestSupport"]),
    .testTarget(
        name: "DurableTests",
        dependencies: ["Kernel", "Storage", "Durable", "TestSupport", .logging, .serviceLifecycle]),
    .testTarget(
        name: "CommerceTests",
        dependencies: [
            "Kernel", "Events", "Signing", "Storage", "Durable", "Webhooks", "Commerce", "TestSupport",
        ]),
    .testTarget(
        name: "WebhooksTests",
        dependencies: [
            "Kernel", "Events", "Signing", "Storage", "Durable", "Webhooks", "TestSupport", .httpTypes, .logging,
            .serviceLifecycle,
        ]),
    .testTarget(
        name: "IntegrationsTests",
        dependencies: [
            "Kernel", "Events", "Signing", "Connectors", "Storage", "Durable", "Commerce", "Webhooks", "Integrations",
            "TestSupport", .httpTypes,
        ]),
    .testTarget(
        name: "CatalogFeedTests",
        dependencies: [
            "Kernel", "Events", "Signing", "Storage", "Commerce", "CatalogFeed", "CZlib", "TestSupport", .logging,
        ],
        exclude: ["Judges"], resources: [.copy("Fixtures")]),
    .testTarget(
        name: "APITests",
        dependencies: [
            "Kernel", "Storage", "Signing", "API", "Server", "TestSupport", .hummingbird, .hummingbirdTesting,
            .httpTypes, .jwtKit, .nioCore, .logging,
        ]),
    .testTarget(
        name: "ServerTests",
        dependencies: [
            "Kernel", "Events", "Signing", "Storage", "Commerce", "ProviderClient", "DeliveryClient", "API", "Server",
            "TestSupport", .httpTypes, .logging,
        ]),
    .testTarget(
        name: "EndToEndTests",
        dependencies: [
            "tradewind", "ReceiverExample", "Kernel", "Events", "Signing", "API", "TestSupport", .httpTypes,
            .asyncHTTPClient, .nioCore, .nioHTTP1, .nioPosix, .nioSSL,
        ],
        exclude: ["Judges"]),
    .testTarget(name: "TidyTests", dependencies: ["TestSupport"]),
]

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335: an existential's cost is visible where it is paid
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444: a file names what it uses
    .treatAllWarnings(as: .error),
    .treatWarning("StrictLanguageFeatures", as: .error),  // a misspelt feature name is otherwise silently ignored
]

for target in targets + tests where target.type != .system {
    target.swiftSettings = settings
}

let package = Package(
    name: "tradewind",
    products: [.executable(name: "tradewind", targets: ["tradewind"])],
    dependencies: dependencies,
    targets: targets + tests
)
