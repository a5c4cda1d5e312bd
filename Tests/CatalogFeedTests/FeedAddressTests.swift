import Events
import Kernel
import Signing
import Testing

@testable import CatalogFeed

@Suite("Addresses of feed files")
struct FeedAddressTests {
    private let now = Timestamp(milliseconds: 1_735_689_600_000)
    private let addresses = FeedAddresses(key: HMACSHA256.Key([1, 2, 3]))
    private let target = FeedAddresses.Target(scope: SampleCatalogue.scope, format: .jsonl)

    private func token(_ addresses: FeedAddresses) throws -> String {
        let parts = addresses.path(target, now: now).split(separator: "/")
        try #require(parts.count == 3 && parts[0] == "feeds" && parts[2] == "catalog.jsonl")
        return String(parts[1])
    }

    @Test("A token leads to its file until it expires")
    func good() throws {
        let token = try token(addresses)
        let found = try addresses.target(of: token, now: now + .seconds(899))
        #expect(found == target)
        #expect(throws: FeedAddresses.Fault.expired) { try addresses.target(of: token, now: now + .seconds(900)) }
    }

    @Test("No altered byte is believed")
    func altered() throws {
        let token = try token(addresses)
        let bytes = try #require(Base64.decode(token, .url))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            #expect(throws: FeedAddresses.Fault.forged) {
                try addresses.target(of: Base64.encode(other, .url), now: now)
            }
        }
    }

    @Test("A token of another key is forged, other texts are none")
    func foreign() throws {
        let foreign = try token(FeedAddresses(key: HMACSHA256.Key([1, 2, 4])))
        #expect(throws: FeedAddresses.Fault.forged) { try addresses.target(of: foreign, now: now) }
        for text in ["", "x", "../../etc/passwd", String(repeating: "A", count: 400), foreign + "A"] {
            #expect(throws: FeedAddresses.Fault.malformed) { try addresses.target(of: text, now: now) }
        }
    }
}
