// A receiver of Tradewind's deliveries, with swift-crypto for the signatures and Hummingbird for HTTP.
//
//     WEBHOOK_SECRET=whsec_… WEBHOOK_PROFILE=synq swift run ReceiverExample 8081
//
// WEBHOOK_SECRET may hold several secrets parted by blanks: during a rotation, the old and the new one. A public key
// (whpk_…) checks the Ed25519 signatures of a subscription that was made with "signature": "ed25519".

import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Why a request is not accepted. For the log: a stranger is told none of it.
struct Refused: Error {
    let reason: String
}

/// What a delivery is checked with.
struct Verifier: Sendable {
    /// The header that a profile has beside the `webhook-*` ones, which every delivery carries.
    static let profileHeaders: [String: String] = [
        "synq": "Synq-Signature", "synthesq": "X-Webhook-Signature", "synctec": "X-StoreLink-Signature",
        "standard": "",
    ]
    static let toleranceSeconds = 300.0

    /// The texts as they are shown once, when a subscription is made.
    let sharedSecrets: [String]
    let publicKeys: [Curve25519.Signing.PublicKey]
    let ownHeader: HTTPField.Name?

    /// Nil for a profile or a public key that is none.
    init?(secrets: [String], profile: String) {
        guard !secrets.isEmpty, let header = Self.profileHeaders[profile] else { return nil }
        sharedSecrets = secrets.filter { !$0.hasPrefix("whpk_") }
        publicKeys = secrets.filter { $0.hasPrefix("whpk_") }.compactMap { text in
            Data(base64Encoded: String(text.dropFirst(5))).flatMap {
                try? Curve25519.Signing.PublicKey(rawRepresentation: $0)
            }
        }
        guard sharedSecrets.count + publicKeys.count == secrets.count else { return nil }
        ownHeader = HTTPField.Name(header)
    }

    /// Throws unless the bytes of the body were signed with one of the secrets, and lately; answers the event's id.
    func check(_ headers: HTTPFields, _ body: Data, now: Date) throws(Refused) -> String {
        let id = try checkStandardHeaders(headers, body, now: now)
        try checkOwnHeader(headers, body)
        return id
    }

    /// The three headers of Standard Webhooks. They cover the id and the time, so an old delivery can't be replayed.
    private func checkStandardHeaders(_ headers: HTTPFields, _ body: Data, now: Date) throws(Refused) -> String {
        guard let id = headers.text("webhook-id"), !id.isEmpty, let timestamp = headers.text("webhook-timestamp"),
            let seconds = Int(timestamp)
        else { throw Refused(reason: "webhook-id or webhook-timestamp is missing or malformed") }
        guard abs(now.timeIntervalSince1970 - Double(seconds)) <= Self.toleranceSeconds else {
            throw Refused(reason: "the time of signing is too far away from now")
        }
        let signed = Data("\(id).\(timestamp).".utf8) + body
        for entry in (headers.text("webhook-signature") ?? "").split(separator: " ") {
            let parts = entry.split(separator: ",", maxSplits: 1)
            guard parts.count == 2, let signature = Data(base64Encoded: String(parts[1])) else { continue }
            // Both checks of swift-crypto take as long for a near miss as for a far one.
            let fits =
                switch parts[0] {
                case "v1":
                    sharedSecrets.contains {
                        HMAC<SHA256>.isValidAuthenticationCode(
                            signature, authenticating: signed, using: Self.standardKey($0))
                    }
                case "v1a": publicKeys.contains { $0.isValidSignature(signature, for: signed) }
                default: false
                }
            if fits { return id }
        }
        throw Refused(reason: "webhook-signature fits no secret")
    }

    /// The profile's own header: lower-case hexadecimal, of the body alone, under the secret's text as it stands. It
    /// needs a shared secret: a subscription with key pairs only has no such header.
    private func checkOwnHeader(_ headers: HTTPFields, _ body: Data) throws(Refused) {
        guard let ownHeader, !sharedSecrets.isEmpty else { return }
        guard let code = Self.bytes(hex: headers[ownHeader] ?? ""),
            sharedSecrets.contains(where: {
                HMAC<SHA256>.isValidAuthenticationCode(
                    code, authenticating: body, using: SymmetricKey(data: Data($0.utf8)))
            })
        else { throw Refused(reason: "\(ownHeader.rawName) fits no secret") }
    }

    /// What the base64 text behind `whsec_` stands for, or the text itself where it is none.
    private static func standardKey(_ secret: String) -> SymmetricKey {
        let text = secret.hasPrefix("whsec_") ? String(secret.dropFirst(6)) : secret
        let decoded = Data(base64Encoded: text).flatMap { $0.isEmpty ? nil : $0 }
        return SymmetricKey(data: decoded ?? Data(secret.utf8))
    }

    private static func bytes(hex: String) -> Data? {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes = Data()
        for start in stride(from: 0, to: 64, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}

extension HTTPFields {
    func text(_ name: String) -> String? { HTTPField.Name(name).flatMap { self[$0] } }
}

/// The ids that were taken, so that a repeat does nothing, and the events that wait for being handled.
///
/// This one forgets what is old, and everything at a restart. In earnest, make the id a unique column, and write it in
/// the transaction of what the event does.
actor Inbox {
    enum Outcome {
        case taken, repeated, full
    }

    private static let idsMost = 10_000
    private static let waitingMost = 1000

    private var ids: Set<String> = []
    private var order: [String] = []
    private var waiting = 0
    private let events: AsyncStream<(id: String, body: Data)>.Continuation

    init(_ events: AsyncStream<(id: String, body: Data)>.Continuation) { self.events = events }

    func take(_ id: String, _ body: Data) -> Outcome {
        if ids.contains(id) { return .repeated }
        if waiting >= Self.waitingMost { return .full }
        ids.insert(id)
        order.append(id)
        if order.count > Self.idsMost { ids.remove(order.removeFirst()) }
        waiting += 1
        events.yield((id, body))
        return .taken
    }

    func handled() { waiting -= 1 }
}

/// Lines that are seen at once, also through a pipe.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// What the event is for. It may take its time: the hub was answered already.
func handle(_ id: String, _ body: Data) throws {
    let event = try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:]
    say("handled \(id) \(event["event_type"] ?? event["event"] ?? event["type"] ?? "?")")
}

@main
struct ReceiverExample {
    static let bodyBytesMost = 2 << 20

    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        let secrets = (environment["WEBHOOK_SECRET"] ?? "").split(separator: " ").map(String.init)
        guard let verifier = Verifier(secrets: secrets, profile: environment["WEBHOOK_PROFILE"] ?? "synq") else {
            let names = Verifier.profileHeaders.keys.sorted().joined(separator: ", ")
            say("set WEBHOOK_SECRET, and WEBHOOK_PROFILE to one of \(names)")
            exit(1)
        }
        let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8081
        let (events, continuation) = AsyncStream.makeStream(of: (id: String, body: Data).self)
        let inbox = Inbox(continuation)
        Task {
            for await (id, body) in events {
                // One bad event must not hold up the others.
                do { try handle(id, body) } catch { say("failed \(id): \(error)") }
                await inbox.handled()
            }
        }
        let router = Router()
        router.post("**") { request, _ in
            // The bytes as they came: JSON that is parsed and written again is not what was signed.
            let body = Data(try await request.body.collect(upTo: bodyBytesMost).readableBytesView)
            let id: String
            do throws(Refused) { id = try verifier.check(request.headers, body, now: Date()) } catch {
                say("refused: \(error.reason)")
                return HTTPResponse.Status.unauthorized
            }
            // Answered before the work is done: the hub waits for ten seconds at most.
            switch await inbox.take(id, body) {
            case .taken: return .noContent
            case .repeated:
                say("repeated \(id)")
                return .noContent
            case .full: return .serviceUnavailable  // the hub tries again later
            }
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in say("listening on \(channel.localAddress?.port ?? port)") })
        try await application.runService()
    }
}
