import HTTPTypes
import Kernel

/// A delivery as a real store sent it: headers, bytes and signature are the store's own.
///
/// The files hold `{note, headers, body}`; headers that belong to the transport are left out of them.
struct DevelopmentRecording: Sendable {
    /// Who sent it and why, in a few words.
    let note: String
    let headers: HTTPFields
    let body: [UInt8]

    /// What the recorded store signed with. It protects nothing: the store was made for recording.
    static let secret = "whsec-hub-fixture-0123456789abcdef"

    /// One of the deliveries comes twice, as stores do after an answer that got lost.
    static func all() throws -> [DevelopmentRecording] {
        let files = [
            PackageResources.d01_ping_json, PackageResources.d02_checkout_updated_json,
            PackageResources.d03_checkout_created_json, PackageResources.d04_edited_json,
            PackageResources.d05_completed_json, PackageResources.d06_refunded_json,
            PackageResources.d07_jpy_created_json, PackageResources.d08_variation_created_json,
            PackageResources.d09_no_sku_created_json, PackageResources.d10_product_updated_json,
        ]
        var all = try files.map { try DevelopmentRecording($0) }
        let yen = try DevelopmentRecording(PackageResources.d07_jpy_created_json)
        all.append(DevelopmentRecording(note: "the same delivery once more", headers: yen.headers, body: yen.body))
        return all
    }

    private init(note: String, headers: HTTPFields, body: [UInt8]) {
        self.note = note
        self.headers = headers
        self.body = body
    }

    private init(_ file: [UInt8]) throws {
        self = try FieldReader.read(try JSONValue(parsing: file)) { fields in
            var headers = HTTPFields()
            for member in fields.value("headers")?.object?.members ?? [] {
                guard let name = HTTPField.Name(member.name), let value = member.value.string else {
                    fields.fault(at: ["headers", member.name], "is no header")
                    continue
                }
                headers[name] = value
            }
            return DevelopmentRecording(
                note: fields.requiredString("note"), headers: headers,
                body: Array(fields.requiredString("body", upTo: Limits.bodyBytes).utf8))
        }
    }
}
