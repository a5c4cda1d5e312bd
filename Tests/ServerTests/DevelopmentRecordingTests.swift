import HTTPTypes
import Kernel
import Signing
import Testing

@testable import Server

@Suite struct DevelopmentRecordingTests {
    @Test("Every embedded delivery but the greeting carries the recorded store's own valid signature")
    func signatures() throws {
        let all = try DevelopmentRecording.all()
        let key = try #require(SigningKey(Secret(DevelopmentRecording.secret)))
        let greetings = all.filter { $0.headers[SignatureCatalog.woocommerce.header] == nil }
        #expect(greetings.map { String(decoding: $0.body, as: UTF8.self) } == ["webhook_id=1"])
        for recording in all where recording.headers[SignatureCatalog.woocommerce.header] != nil {
            #expect(throws: Never.self, "\(recording.note)") {
                try SignatureCatalog.woocommerce.verify(
                    body: recording.body, headers: recording.headers, keys: [key], now: Timestamp(milliseconds: 0))
            }
        }
    }

    @Test("One delivery comes twice, byte for byte")
    func repeated() throws {
        let all = try DevelopmentRecording.all()
        let last = try #require(all.last)
        #expect(all.count { $0.body == last.body && $0.headers == last.headers } == 2)
    }

    @Test("Development lets deliveries go to this machine over http, keeps what was allowed, and trusts its own tokens")
    func settings() async throws {
        let settings = try await SettingsReader.read(
            flags: [.egressAllow: "10.0.0.0/8", .listen: "192.168.7.1:8080", .keySetURL: "https://a.example/keys"],
            environment: [:], file: nil)
        let developed = DevelopmentSession.developed(settings)
        for url in ["http://127.0.0.1:9", "http://10.1.1.1", "http://192.168.7.1:8080/a", "http://[::1]:9"] {
            #expect(throws: Never.self) { try developed.egress.judge(url: url) }
        }
        #expect(throws: EgressRefusal.self) { try developed.egress.judge(url: "http://192.168.7.2") }
        #expect(developed.tokens == .own)
        #expect(throws: EgressRefusal.self) { try settings.egress.judge(url: "http://127.0.0.1:9") }
    }
}
