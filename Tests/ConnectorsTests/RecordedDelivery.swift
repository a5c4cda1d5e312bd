import Foundation
import HTTPTypes
import Kernel
import Signing
import Testing

@testable import Connectors

/// A delivery as it came over the wire, from `Fixtures/<provider>/`, with what is expected of it.
struct RecordedDelivery: Sendable, CustomTestStringConvertible {
    let provider: String
    let name: String
    let headers: HTTPFields
    let body: [UInt8]
    /// Nil for an unsigned one.
    let key: Secret?
    let expected: JSONValue

    var testDescription: String { "\(provider)/\(name)" }

    /// The order it must become; nil where it is ignored.
    func golden() throws -> JSONValue? {
        guard isImported else { return nil }
        return try FixtureFiles.json("\(provider)/goldens/\(name).json")
    }

    var isGreeting: Bool { expected["greeting"]?.bool == true }
    var isImported: Bool { !isGreeting && expected["ignored"] == .null }

    func verified(by connector: any Connector) throws -> VerifiedRequest {
        let key = try signingKey()
        return try connector.description.signature.verify(
            body: body, headers: headers, keys: [key], now: Timestamp(milliseconds: 0))
    }

    func signingKey() throws -> SigningKey {
        let secret = try #require(key)
        return try #require(SigningKey(secret))
    }

    static func all(of provider: String) throws -> [RecordedDelivery] {
        let expected = try FixtureFiles.json("\(provider)/arrivals.json")
        return try (expected.object?.members ?? []).map { member in
            let file = try FixtureFiles.json("\(provider)/\(member.name).json")
            var headers = HTTPFields()
            let request = try #require(file["request"])
            for header in request["headers"]?.object?.members ?? [] {
                let name = try #require(HTTPField.Name(header.name))
                headers[name] = header.value.string
            }
            let body = try #require(request["body"]?.string)
            return RecordedDelivery(
                provider: provider, name: member.name, headers: headers, body: Array(body.utf8),
                key: file["hmac_key"]?.string.map { Secret($0) }, expected: member.value)
        }
    }

    static func all() throws -> [RecordedDelivery] {
        try ConnectorCatalog.all.flatMap { try all(of: $0.description.provider) }
    }

    static func orders() throws -> [RecordedDelivery] { try all().filter(\.isImported) }

    static func order(_ provider: String, _ name: String) throws -> RecordedDelivery {
        try #require(try all(of: provider).first { $0.name == name })
    }
}

/// Files below `Fixtures`.
enum FixtureFiles {
    static func json(_ path: String) throws -> JSONValue {
        let root = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures")
        return try JSONValue(parsing: Array(try Data(contentsOf: root.appendingPathComponent(path))))
    }

    /// The names, without extension, of the JSON files in a folder.
    static func names(in path: String) throws -> Set<String> {
        let root = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures")
        let files = try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(path).path)
        return Set(files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) })
    }
}

/// A signed request of any body, the way the intake hands it on.
func signed(
    _ body: [UInt8], for connector: any Connector, headers: HTTPFields = HTTPFields()
) throws -> VerifiedRequest {
    let key = try #require(SigningKey(Secret("a-secret-of-this-test")))
    let time = Timestamp(milliseconds: 0)
    let scheme = connector.description.signature
    var all = headers
    for field in scheme.sign(SignedContent(id: "1", time: time, body: body), key: key, older: []) { all.append(field) }
    return try scheme.verify(body: body, headers: all, keys: [key], now: time)
}
