import Kernel
import Testing

@Suite struct IDTests {
    private enum Thing {}

    @Test(
        "One identifier has a UUID text, a ULID text and 16 bytes, and is read back from each",
        arguments: [
            // The first two are the ULID specification's and RFC 9562's examples; the rest are the edges.
            ("01563e3a-b5d3-d676-4c61-efb99302bd5b", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            ("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "01FWHE4YDGFK1SHH6W1G60EECF"),
            ("00000000-0000-0000-0000-000000000000", "00000000000000000000000000"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
            ("00000000-0000-0001-8000-000000000000", "0000000000000R000000000000"),
        ])
    func forms(_ uuid: String, _ ulid: String) throws {
        let id = try #require(ID<Thing>(uuid))

        #expect(id.description == uuid)
        #expect(id.ulid == ulid)
        #expect(ID<Thing>(ulid) == id)
        #expect(ID<Thing>(ulid.lowercased()) == id)
        #expect(ID<Thing>(uuid.uppercased()) == id)
        #expect(hexText(id.bytes) == uuid.filter { $0 != "-" })
        #expect(ID<Thing>(bytes: id.bytes) == id)
        #expect(ID<Thing>(bytes: id.bytes[...]) == id)
    }

    @Test("Each single bit survives all three forms")
    func bits() {
        for bit in 0..<128 {
            let id = ID<Thing>(high: bit < 64 ? 1 << bit : 0, low: bit < 64 ? 0 : 1 << (bit - 64))
            #expect(ID<Thing>(id.description) == id)
            #expect(ID<Thing>(id.ulid) == id)
            #expect(ID<Thing>(bytes: id.bytes) == id)
            // A collection that is not contiguous takes the other way in.
            #expect(ID<Thing>(bytes: id.bytes.lazy.map { $0 }) == id)
        }
    }

    @Test(
        "Other texts are no identifiers",
        arguments: [
            "", "0", "01563e3ab5d3d6764c61efb99302bd5b", "{01563e3a-b5d3-d676-4c61-efb99302bd5b}",
            "01563e3a-b5d3-d676-4c61-efb99302bd5", "01563e3a-b5d3-d676-4c61-efb99302bd5bb",
            "01563e3a-b5d3-d676-4c61-efb99302bd5g", "01563e3a0b5d3-d676-4c61-efb99302bd5b",
            "-1563e3a-b5d3-d676-4c61-efb99302bd5b", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU",
            "01ARZ3NDEKTSV4RRFFQ69G5FAI", "01ARZ3NDEKTSV4RRFFQ69G5FA{", "01ARZ3NDEKTSV4RRFFQ69G5Fé",
        ])
    func refused(_ text: String) {
        #expect(ID<Thing>(text) == nil)
    }

    @Test("Only 16 bytes are an identifier", arguments: [0, 1, 15, 17, 32])
    func byteCounts(_ count: Int) {
        #expect(ID<Thing>(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test("Identifiers sort as their texts and their bytes do")
    func order() {
        var random = SplitMix(state: 5)
        let ids = (0..<500).map { _ in ID<Thing>(high: random.next(), low: random.next()) }.sorted()

        #expect(ids.map(\.description) == ids.map(\.description).sorted())
        #expect(ids.map(\.ulid) == ids.map(\.ulid).sorted())
        #expect(ids.map { $0.cast(to: Tenant.self).low } == ids.map(\.low))
    }

    @Test("The time of RFC 9562's example is told")
    func time() throws {
        let id = try #require(ID<Thing>("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"))

        #expect(id.time == Timestamp("2022-02-22T19:22:22Z"))
    }
}
