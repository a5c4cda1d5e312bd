import HTTPTypes
import Kernel

/// A header with one code of the body alone, and how that is written there.
struct BodySignatureForm {
    let name: HTTPField.Name
    let isHex: Bool

    /// Those of the catalogue.
    static let all: [BodySignatureForm] = SignatureCatalog.all.compactMap { scheme in
        if let hex = scheme as? HexHMACHeader { return BodySignatureForm(name: hex.header, isHex: true) }
        return (scheme as? Base64HMACHeader).map { BodySignatureForm(name: $0.header, isHex: false) }
    }

    /// What is wrong with a received value; nil where nothing is.
    func fault(in value: String, of body: [UInt8], secret: [UInt8]) -> String? {
        let (code, told) = received(value)
        guard let code else { return told }
        let explanation = SignatureMistakes.explanation(
            bodies: SignatureMistakes.bodies(body), keys: SignatureMistakes.textKeys(secret)
        ) { $0.matches(code) }
        guard let explanation else { return ([told].compactMap { $0 } + [Self.noneFits]).joined(separator: " ") }
        let all = [told].compactMap { $0 } + explanation
        return all.isEmpty ? nil : all.joined(separator: " ")
    }

    /// Neither can be told from the other by a signature alone.
    static let noneFits =
        "It fits neither this body with this secret nor any usual mistake: either the body was altered since it was "
        + "signed, or it was signed with another secret."

    /// The code that a value holds, in whatever form, and what is wrong with the form.
    private func received(_ value: String) -> (code: [UInt8]?, told: String?) {
        let expected = isHex ? "64 hexadecimal digits" : "the base64 text of 32 bytes"
        let rest = value.firstIndex(of: "=").flatMap { at in
            ["sha256", "v1"].contains(value[..<at].lowercased()) ? value[value.index(after: at)...] : nil
        }
        let commaRest = value.hasPrefix("v1,") ? value.dropFirst(3) : nil
        let text = String(rest ?? commaRest ?? value[...])
        let prefix = text == value ? nil : "It has a beginning (\(value.dropLast(text.count))) that is no part of it."
        if text.utf8.count == 64, let code = hexBytes(text) {
            let told = isHex ? prefix : "It is hexadecimal; here it has to be \(expected)."
            return (code, told)
        }
        if let code = SignatureMistakes.lenientlyDecoded(Array(text.utf8)), code.count == HMACSHA256.byteCount {
            let isRight = !isHex && Base64.decode(text) != nil
            return (code, isRight ? prefix : "It is base64 of another form; here it has to be \(expected).")
        }
        return (nil, "It has to be \(expected), and has \(value.utf8.count) other characters.")
    }
}
