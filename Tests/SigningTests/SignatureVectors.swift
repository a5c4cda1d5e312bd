import Foundation
import HTTPTypes
import Kernel
import Testing

@testable import Signing

/// One case of the files in `Vectors`, whose digests were made with other people's libraries.
struct SignatureVector: Sendable, CustomTestStringConvertible {
    let name: String
    let scheme: String
    /// Newest first.
    let secrets: [String]
    let body: [UInt8]
    let headers: HTTPFields
    let now: Timestamp
    /// Nil when the case is to be accepted.
    let reason: String?
    let hasOneSecret: Bool

    var testDescription: String { name }
    var isAccepted: Bool { reason == nil }

    var keys: [SigningKey] { secrets.compactMap { SigningKey(Secret($0)) } }

    /// What a verifier says: nil for acceptance, otherwise the reason.
    func verdict(of scheme: any SignatureScheme) -> String? {
        do throws(SignatureRejection) {
            _ = try scheme.verify(body: body, headers: headers, keys: keys, now: now)
            return nil
        } catch {
            return error.reason.rawValue
        }
    }

    static let all: [SignatureVector] = {
        do { return try load() } catch {
            Issue.record("The signature vectors can't be read: \(error)")
            return []
        }
    }()

    /// The cases of the schemes that are in the catalogue.
    static let catalogued = all.filter { SignatureCatalog.scheme(named: $0.scheme) != nil }

    private static func load() throws -> [SignatureVector] {
        try ["signatures", "signatures-further"].flatMap { name in
            let file = try #require(
                Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Vectors"))
            let document = try JSONValue(parsing: [UInt8](Data(contentsOf: file)))
            return try #require(document["cases"]?.array).map(SignatureVector.init)
        }
    }

    private init(_ json: JSONValue) throws {
        name = try #require(json["name"]?.string)
        scheme = try #require(json["scheme"]?.string)
        let secret = try #require(json["secret"])
        secrets = secret.array.map { $0.compactMap(\.string) } ?? secret.string.map { [$0] } ?? []
        hasOneSecret = secret.string != nil
        let encoded = json["body_base64"]?.string ?? ""
        body = [UInt8](try #require(Data(base64Encoded: encoded)))
        var headers = HTTPFields()
        for member in json["headers"]?.object?.members ?? [] {
            headers.append(
                HTTPField(name: try #require(HTTPField.Name(member.name)), value: try #require(member.value.string)))
        }
        self.headers = headers
        now = Timestamp(milliseconds: (json["now"]?.integer ?? 1_700_000_000) * 1000)
        reason = json["verdict"]?.string == "accept" ? nil : json["reason"]?.string ?? "no reason given"
    }
}
