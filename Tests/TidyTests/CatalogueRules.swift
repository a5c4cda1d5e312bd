/// A contract, the folder where its kinds live and the list that names each of them.
private struct Catalogue: Sendable {
    let contract: String
    /// Ends with a slash.
    let folder: String
    let list: String

    /// The types under the folder that declare the contract on the line of their name.
    func kinds(in tree: Tree) -> [String] {
        tree.under(folder).filter { $0.isSwift && $0.path != list }.flatMap { file in
            file.code.compactMap { line in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                let parents = line[colon...].split { !$0.isLetter && !$0.isNumber }
                let before = line[..<colon].split(separator: " ")
                let declares = before.dropLast().last.map { ["struct", "enum", "class"].contains($0) } ?? false
                return declares && parents.contains { $0 == contract } ? before.last.map(String.init) : nil
            }
        }
    }
}

private let catalogues: [Catalogue] = [
    Catalogue(contract: "EventType", folder: "Sources/Events/", list: "Sources/Events/EventCatalog.swift"),
    Catalogue(contract: "Connector", folder: "Sources/Connectors/", list: "Sources/Connectors/ConnectorCatalog.swift"),
    Catalogue(
        contract: "SignatureScheme", folder: "Sources/Signing/", list: "Sources/Signing/SignatureCatalog.swift"),
    // Profiles are constants of their list, which the second half of the rule looks after.
    Catalogue(
        contract: "Profile", folder: "Sources/Webhooks/Profiles/",
        list: "Sources/Webhooks/Profiles/ProfileCatalog.swift"),
]

private func words(_ text: String) -> [Substring] { text.split { !$0.isLetter && !$0.isNumber && $0 != "_" } }

@Sendable private func unlisted(_ tree: Tree) -> [Violation] {
    catalogues.flatMap { catalogue -> [Violation] in
        let code = tree[catalogue.list]?.code ?? []
        let named = words(code.joined(separator: "\n"))
        let missing = catalogue.kinds(in: tree).filter { kind in !named.contains { $0 == kind } }.map {
            Violation(path: catalogue.list, line: 0, advice: "\($0) is not listed: add its line")
        }
        // A constant of the list stands a second time: in `all`.
        let forgotten = code.enumerated().compactMap { index, line -> Violation? in
            let parts = words(line)
            guard line.contains("static let"), line.contains(" = "), let at = parts.firstIndex(of: "let") else {
                return nil
            }
            let name = parts[at + 1]
            if name == "all" || named.count(where: { $0 == name }) > 1 || !line.contains("(") { return nil }
            return Violation(path: catalogue.list, line: index + 1, advice: "\(name) is made but not in `all`: add it")
        }
        return missing + forgotten
    }
}

@Sendable private func unlistedSteps(_ tree: Tree) -> [Violation] {
    let list = "Sources/Storage/Migration.swift"
    let code = tree[list]?.code.joined(separator: "\n") ?? ""
    var taken: Set<Int> = []
    return tree.under("Sources/Storage/Migrations/").flatMap { file -> [Violation] in
        var found: [Violation] = []
        let digits = file.name.dropFirst().prefix { $0.isNumber }
        let number = Int(digits) ?? 0
        if digits.count != 4 || number == 0 || !taken.insert(number).inserted {
            found.append(Violation(path: file.path, line: 0, advice: "name it mNNNN_…, with a number of its own"))
        }
        if !code.contains("Migration(\(number),") || !code.contains("\(file.name)_sql") {
            found.append(Violation(path: list, line: 0, advice: "\(file.name) is not listed: add it to Migration.all"))
        }
        return found
    }
}

private let eventCatalog = "Sources/Events/EventCatalog.swift"
private let signatureCatalog = "Sources/Signing/SignatureCatalog.swift"

let catalogueRules: [Rule] = [
    Rule(
        "Each event type, connector and signature scheme is named in its catalogue",
        bad: [
            Sample(
                [eventCatalog: "[A.self]\n", "Sources/Events/Orders/B.swift": "package struct B: EventType {\n"],
                line: 0),
            Sample(
                [
                    "Sources/Connectors/ConnectorCatalog.swift": "// ShopConnector\n[OtherShopConnector()]\n",
                    "Sources/Connectors/Shop/A.swift": "struct ShopConnector: Sendable, Connector {\n",
                ], line: 0),
            Sample(["Sources/Signing/Schemes/Hex.swift": "struct Hex: SignatureScheme {\n"], line: 0),
            Sample([signatureCatalog: "static let a = Hex()\nstatic let b = Hex()\nstatic let all = [a]\n"], line: 2),
        ],
        good: [
            Sample([
                signatureCatalog: "static let a = Hex()\nstatic let all = [a]\n",
                "Sources/Signing/Schemes/Hex.swift": "struct Hex: SignatureScheme {\n",
                "Sources/Signing/Schemes/Hex+Text.swift": "extension Hex: Other {\n",
                eventCatalog: "all = [A.self]\nstatic let names = all.map { $0.name }\n",
                "Sources/Events/Orders/A.swift": "package struct A: EventType {\n",
                "Sources/Events/Orders/Payload.swift": "package struct Payload: Sendable {\n",
            ])
        ],
        check: unlisted),
    Rule(
        "Each step of the schema is listed, under a number of its own",
        bad: [
            Sample(
                ["Sources/Storage/Migration.swift": "[]\n", "Sources/Storage/Migrations/m0001_a.sql": "SELECT 1;\n"],
                line: 0),
            Sample(
                [
                    "Sources/Storage/Migration.swift": "[Migration(1, \"b\", PackageResources.m0002_b_sql)]\n",
                    "Sources/Storage/Migrations/m0002_b.sql": "SELECT 1;\n",
                ], line: 0),
            Sample(
                [
                    "Sources/Storage/Migration.swift":
                        "[Migration(1, PackageResources.m0001_a_sql), PackageResources.m0001_b_sql]\n",
                    "Sources/Storage/Migrations/m0001_a.sql": "SELECT 1;\n",
                    "Sources/Storage/Migrations/m0001_b.sql": "SELECT 1;\n",
                ], line: 0),
        ],
        good: [
            Sample([
                "Sources/Storage/Migration.swift": "[Migration(1, \"a\", PackageResources.m0001_a_sql)]\n",
                "Sources/Storage/Migrations/m0001_a.sql": "SELECT 1;\n",
            ])
        ],
        check: unlistedSteps),
]
