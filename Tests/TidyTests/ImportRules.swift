/// What each target may import: its own siblings below it, and the libraries that it exists to keep in one place.
///
/// Arrows never point back, so a sibling that is not listed is above. `Synchronization` is everybody's, and where
/// `Glibc` stands, the same library may be taken under the name that it has elsewhere.
private let allowedImports: [String: Set<String>] = [
    "Kernel": ["HTTPTypes", "Glibc"],
    "Events": ["Kernel"],
    "Signing": ["Kernel", "Crypto", "HTTPTypes", "Glibc"],  // Glibc reads the files of keys
    "Connectors": ["Kernel", "Signing", "HTTPTypes"],

    "Storage": ["Kernel"],
    "StorageSQLite": ["Kernel", "Storage", "GRDB", "GRDBSQLite", "Logging", "Glibc"],
    "CPostgres": [],
    "StoragePostgres": ["Kernel", "Storage", "CPostgres", "Logging", "Glibc"],

    "Durable": ["Kernel", "Storage", "Logging", "ServiceLifecycle"],
    "Commerce": ["Kernel", "Events", "Storage", "Durable", "Webhooks"],
    "Webhooks": [
        "Kernel", "Events", "Signing", "Storage", "Durable", "DequeModule", "HTTPTypes", "Logging", "ServiceLifecycle",
    ],
    "Integrations": [
        "Kernel", "Events", "Signing", "Connectors", "Storage", "Durable", "Commerce", "Webhooks", "DequeModule",
        "HTTPTypes", "Logging", "ServiceLifecycle",
    ],
    "CZlib": [],
    "CatalogFeed": [
        "Kernel", "Events", "Signing", "Storage", "Commerce", "CZlib", "Logging", "ServiceLifecycle", "Glibc",
    ],
    "ProviderClient": [
        "Kernel", "AsyncHTTPClient", "HTTPTypes", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL", "Logging", "Glibc",
    ],
    "DeliveryClient": ["Kernel", "HTTPTypes", "NIOCore", "NIOPosix", "NIOSSL", "NIOTLS", "Logging", "Glibc"],

    "API": [
        "Kernel", "Events", "Signing", "Connectors", "Storage", "Durable", "Commerce", "Webhooks", "Integrations",
        "CatalogFeed", "Hummingbird", "HummingbirdCore", "JWTKit", "Crypto", "HTTPTypes", "NIOCore", "NIOHTTP1",
        "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "Logging", "Metrics", "CoreMetrics", "FoundationEssentials",
    ],
    "Server": [
        "Kernel", "Events", "Signing", "Connectors", "Storage", "StorageSQLite", "StoragePostgres", "Durable",
        "Commerce", "Webhooks", "Integrations", "CatalogFeed", "ProviderClient", "DeliveryClient", "API",
        "Configuration", "Hummingbird", "HummingbirdCore", "Logging", "HTTPTypes", "Metrics", "NIOCore", "NIOPosix",
        "ServiceLifecycle", "SystemPackage", "UnixSignals",
        "FoundationEssentials", "Glibc",
    ],
    "tradewind": [
        "Kernel", "Events", "Signing", "Webhooks", "API", "Server", "ArgumentParser", "AsyncHTTPClient", "HTTPTypes",
        "Logging", "NIOCore", "NIOHTTP1", "NIOPosix", "SystemPackage", "UnixSignals", "Glibc",
    ],

    "TestSupport": [
        "Kernel", "Storage", "StorageSQLite", "StoragePostgres", "Testing", "Foundation", "FoundationEssentials",
        "Dispatch", "Glibc", "NIOSSL",
    ],
    "StorageTesting": ["Kernel", "Storage", "TestSupport", "Testing", "Dispatch"],
]

/// The module and the words before it of an import line, or nil for another line.
private func importedModule(_ line: String) -> (module: String, isTestable: Bool)? {
    let words = line.split(separator: " ")
    guard let at = words.firstIndex(of: "import"), at + 1 < words.count else { return nil }
    let before = Set(words[..<at])
    let modifiers: Set<Substring> = ["@testable", "@preconcurrency", "@_exported", "package", "internal", "public"]
    guard before.isSubset(of: modifiers) else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "typealias"]
    let path = kinds.contains(words[at + 1]) && at + 2 < words.count ? words[at + 2] : words[at + 1]
    return (String(path.prefix { $0 != "." }), before.contains("@testable"))
}

let importRules: [Rule] = [
    Rule(
        "A target imports only what stands in its row of the import table",
        bad: [
            Sample("Sources/Kernel/A.swift", "import HTTPTypes\nimport Logging\n", line: 2),
            Sample("Sources/Storage/A.swift", "package import Webhooks\n"),
            Sample("Sources/Integrations/A.swift", "import struct GRDB.Row\n"),
            Sample("Sources/Cart/A.swift", "let a = 1\nimport Kernel\n", line: 2),
        ],
        good: [
            Sample("Sources/Kernel/A.swift", "import HTTPTypes\nimport Synchronization\n"),
            Sample("Sources/StorageSQLite/A.swift", "// import Webhooks\nimport GRDB\n"),
            Sample("Tests/KernelTests/A.swift", "@testable import Kernel\n"),
        ],
        where: { $0.isSwift && $0.target != nil },
        eachFile: { file in
            let target = file.target ?? ""
            return file.code.enumerated().compactMap { index, line in
                guard let (module, isTestable) = importedModule(line), module != "Synchronization" else { return nil }
                guard let row = allowedImports[target] else {
                    return (index + 1, "give the target \(target) a row in the import table of TidyTests")
                }
                if isTestable { return (index + 1, "import \(module) without @testable: package access is enough") }
                if row.contains(["Darwin", "Musl"].contains(module) ? "Glibc" : module) { return nil }
                let owners = allowedImports.filter { $0.value.contains(module) }.keys.sorted()
                let place = owners.isEmpty ? "no target" : "only \(owners.joined(separator: ", "))"
                return (
                    index + 1, "\(target) may not import \(module), \(place) may: use it there, behind a type of ours"
                )
            }
        })
]
