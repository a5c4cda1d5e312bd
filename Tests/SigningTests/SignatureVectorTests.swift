import HTTPTypes
import Kernel
import Testing

@testable import Signing

@Suite struct SignatureVectorTests {
    @Test("A verifier gives the verdict and the reason of each vector", arguments: SignatureVector.catalogued)
    func verdict(_ vector: SignatureVector) throws {
        let scheme = try #require(SignatureCatalog.scheme(named: vector.scheme))

        #expect(vector.verdict(of: scheme) == vector.reason)
    }

    @Test(
        "A signer writes the header of each accepted vector with one secret and one signature",
        arguments: SignatureVector.catalogued.filter { $0.isAccepted && $0.hasOneSecret })
    func reproduction(_ vector: SignatureVector) throws {
        let scheme = try #require(SignatureCatalog.scheme(named: vector.scheme))
        let key = try #require(vector.keys.first)
        let time = vector.headers[StandardWebhooks.timestampHeader].flatMap { Int64($0) }
        let content = SignedContent(
            id: vector.headers[StandardWebhooks.idHeader] ?? "", time: Timestamp(milliseconds: (time ?? 0) * 1000),
            body: vector.body)

        let signed = scheme.sign(content, key: key, older: [])

        for field in vector.headers where !field.value.contains(" ") {
            // Upper case is accepted, and lower case is what we write.
            let expected = field.value == field.value.uppercased() ? field.value.lowercased() : field.value
            #expect(signed[field.name] == expected)
        }
        #expect(signed.count == vector.headers.count)
    }

    @Test(
        "Each scheme of the catalogue has an accepted vector, an altered body, a wrong secret and a rotation",
        arguments: SignatureCatalog.all.map(\.name))
    func coverage(_ name: String) {
        let cases = SignatureVector.all.filter { $0.scheme == name }

        #expect(cases.contains { $0.isAccepted })
        #expect(cases.contains { $0.name.hasSuffix("/tampered-body") && $0.reason == "mismatch" })
        #expect(cases.contains { $0.name.contains("wrong-secret") && $0.reason == "mismatch" })
        #expect(cases.contains { $0.name.contains("rotation") && $0.isAccepted && $0.secrets.count > 1 })
    }

    @Test("Names in the catalogue are unique and lead back to their scheme")
    func names() {
        let names = SignatureCatalog.all.map(\.name)

        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { SignatureCatalog.scheme(named: $0)?.name == $0 })
        #expect(SignatureCatalog.scheme(named: "no-such-scheme") == nil)
    }

    @Test("The vectors use the reasons that a rejection knows, each of them at least once")
    func reasons() {
        let used = Set(SignatureVector.catalogued.compactMap(\.reason))

        #expect(used == Set(SignatureRejection.Reason.allCases.map(\.rawValue)))
    }
}
