import HTTPTypes
import Kernel
import Testing

@testable import Signing

@Suite("What is said of a signature")
struct SignatureDiagnosisTests {
    private static let body = Array(#"{"event_type":"order.created","total":149.99}"#.utf8)
    private static let now = Timestamp(milliseconds: 1_700_000_000_500)
    private static let secret = "whsec_" + Base64.encode((0..<32).map { UInt8($0) })

    /// Headers as a delivery of the profile `synq` carries them.
    private static func headers(
        _ body: [UInt8] = body, secret: String = secret, at time: Timestamp = now
    ) throws -> HTTPFields {
        let key = try #require(SigningKey(Secret(secret)))
        let content = SignedContent(id: "evt_1", time: time, body: body)
        return SignatureCatalog.synq.sign(content, key: key, older: [])
            + SignatureCatalog.standardV1.sign(content, key: key, older: [])
    }

    private static func diagnosis(
        _ headers: HTTPFields, _ secret: String = secret, of body: [UInt8] = body, tolerance: Int64 = 300
    ) -> SignatureDiagnosis {
        SignatureDiagnosis(
            body: body, headers: headers, secret: Secret(secret), now: now, toleranceSeconds: tolerance)
    }

    /// What is wrong with each header, in a line each.
    private static func faults(_ diagnosis: SignatureDiagnosis) -> String {
        diagnosis.findings.compactMap { finding in finding.fault.map { "\(finding.header): \($0)" } }
            .joined(separator: "\n")
    }

    @Test("A true delivery is genuine in each of its headers")
    func genuine() throws {
        let found = Self.diagnosis(try Self.headers())
        #expect(found.isGenuine)
        #expect(found.findings.map(\.header) == ["Synq-Signature", "webhook-signature"])
    }

    @Test(
        "A body that was changed in a usual way is recognised",
        arguments: [
            (Self.body + [10], "line end that was not signed"), (Self.body + [13, 10], "line end that was not signed"),
            ([0xEF, 0xBB, 0xBF] + Self.body, "byte order mark"),
        ])
    func changedBody(_ received: [UInt8], _ words: String) throws {
        let found = Self.diagnosis(try Self.headers(), of: received)
        #expect(!found.isGenuine && found.findings.count == 2)
        for finding in found.findings { #expect(finding.fault?.contains(words) == true, "\(finding)") }
    }

    @Test("What was signed with a line end, other line ends or other blanks is recognised")
    func signedOtherwise() throws {
        let cases: [(signed: [UInt8], received: [UInt8], words: String)] = [
            (Self.body + [10], Self.body, "The signed body ends with a line end"),
            (Array("a\nb".utf8), Array("a\r\nb".utf8), "from LF to CRLF"),
            (Array("a\r\nb".utf8), Array("a\nb".utf8), "from CRLF to LF"),
            (Array(#"{"a":1,"b":[2]}"#.utf8), Array(#"{ "a": 1, "b": [2] }"#.utf8), "written anew"),
        ]
        for (signed, received, words) in cases {
            let faults = Self.faults(Self.diagnosis(try Self.headers(signed), of: received))
            #expect(faults.split(separator: "\n").count == 2 && faults.contains(words), "\(faults)")
        }
    }

    @Test("An altered body and another secret fit nothing, and both are named")
    func nothingFits() throws {
        let altered = Array(String(decoding: Self.body, as: UTF8.self).replacing("149", with: "1").utf8)
        let other = "whsec_" + Base64.encode([UInt8](repeating: 9, count: 32))
        for found in [Self.diagnosis(try Self.headers(), of: altered), Self.diagnosis(try Self.headers(), other)] {
            for finding in found.findings { #expect(finding.fault?.contains("altered") == true, "\(finding)") }
            for finding in found.findings { #expect(finding.fault?.contains("another secret") == true, "\(finding)") }
        }
    }

    @Test("A secret that was read in the wrong way is recognised")
    func secretMistakes() throws {
        let bare = String(Self.secret.dropFirst(6))
        #expect(Self.faults(Self.diagnosis(try Self.headers(), bare)).contains("lacks its beginning whsec_"))
        let blank = Self.faults(Self.diagnosis(try Self.headers(), Self.secret + "\n"))
        #expect(blank.contains("white space around it"))

        let text = HMACSHA256.Key(Array(Self.secret.utf8))
        let prefix = Array("evt_1.\(Self.now.seconds).".utf8)
        var headers = try Self.headers()
        headers[StandardWebhooksHeaders.signature] =
            "v1," + Base64.encode(HMACSHA256.code(key: text, over: prefix, Self.body).bytes)
        #expect(Self.faults(Self.diagnosis(headers)).contains("made with the secret's text"))
        headers[StandardWebhooksHeaders.signature] =
            "v1,"
            + Base64.encode(HMACSHA256.code(key: HMACSHA256.Key((0..<32).map { UInt8($0) }), over: Self.body).bytes)
        #expect(Self.faults(Self.diagnosis(headers)).contains("over the body alone"))

        let decoded = HMACSHA256.code(key: HMACSHA256.Key((0..<32).map { UInt8($0) }), over: Self.body)
        let own: HTTPFields = [SignatureCatalog.synq.header: hexText(decoded.bytes)]
        #expect(Self.faults(Self.diagnosis(own)).contains("bytes that the secret's base64 stands for"))
    }

    @Test("A value of another form is named, and checked all the same")
    func forms() throws {
        let code = HMACSHA256.code(key: HMACSHA256.Key(Array(Self.secret.utf8)), over: Self.body)
        func faults(_ value: String) -> String {
            Self.faults(Self.diagnosis([SignatureCatalog.synq.header: value]))
        }
        let prefixed = faults("sha256=" + hexText(code.bytes))
        #expect(prefixed.contains("sha256=") && !prefixed.contains("altered"), "\(prefixed)")
        let base64 = faults(Base64.encode(code.bytes))
        #expect(base64.contains("It is base64") && !base64.contains("altered"), "\(base64)")
        #expect(faults("nonsense").contains("64 hexadecimal digits"))
        #expect(faults(hexText(code.bytes).uppercased()).isEmpty)
    }

    @Test("A time outside the tolerance says by how much; a larger tolerance takes it")
    func time() throws {
        let old = try Self.headers(at: Self.now - .seconds(412))
        let faults = Self.faults(Self.diagnosis(old))
        #expect(faults.contains("made 412 seconds ago, and 300 seconds"), "\(faults)")
        #expect(faults.contains("The signature is right"))
        #expect(Self.diagnosis(old, tolerance: 412).isGenuine)
        let early = Self.faults(Self.diagnosis(try Self.headers(at: Self.now + .seconds(400))))
        #expect(early.contains("400 seconds in the future"), "\(early)")

        var headers = try Self.headers()
        headers[StandardWebhooksHeaders.timestamp] = "1700000000500"
        #expect(Self.faults(Self.diagnosis(headers)).contains("milliseconds"))
        headers[StandardWebhooksHeaders.timestamp] = "yesterday"
        #expect(Self.faults(Self.diagnosis(headers)).contains("whole seconds since 1970"))
    }

    @Test("A missing or exchanged id is told from an altered body by the profile's own header")
    func exchangedID() throws {
        var headers = try Self.headers()
        headers[StandardWebhooksHeaders.id] = "evt_2"
        #expect(Self.faults(Self.diagnosis(headers)).contains("webhook-id or webhook-timestamp is not the one"))
        headers[StandardWebhooksHeaders.id] = nil
        #expect(Self.faults(Self.diagnosis(headers)).contains("webhook-id is missing"))
    }

    @Test("Public keys check v1a, shared secrets v1, and the wrong kind is told which it needs")
    func kinds() throws {
        let pair = try #require(Ed25519Pair(seed: [UInt8](repeating: 7, count: 32)))
        let key = try #require(SigningKey(pair.secret))
        let content = SignedContent(id: "evt_1", time: Self.now, body: Self.body)
        let headers = SignatureCatalog.standardV1a.sign(content, key: key, older: [])

        #expect(Self.diagnosis(headers, pair.publicText).isGenuine)
        #expect(Self.diagnosis(headers, pair.secret.revealText(for: "this test")).isGenuine)
        #expect(Self.faults(Self.diagnosis(headers, pair.publicText, of: Self.body + [10])).contains("line end"))
        #expect(Self.faults(Self.diagnosis(headers, pair.publicText, of: Array("{}".utf8))).contains("altered"))
        #expect(Self.faults(Self.diagnosis(headers)).contains("no v1 entry, only v1a"))
        let mixed = Self.diagnosis(try Self.headers(), pair.publicText)
        #expect(Self.faults(mixed).contains("no v1a entry, only v1"))
        #expect(mixed.notes.first?.contains("Synq-Signature") == true)
        #expect(Self.faults(Self.diagnosis(headers, "whpk_short")).contains("no public key"))
    }

    @Test("Another scheme's header is named by its owner, and none at all is said")
    func foreign() throws {
        let github = try #require(HTTPField.Name("X-Hub-Signature-256"))
        #expect(Self.faults(Self.diagnosis([github: "sha256=00"])).contains("GitHub's header"))
        #expect(Self.faults(Self.diagnosis([:])).contains("No signature is among them"))
    }
}
