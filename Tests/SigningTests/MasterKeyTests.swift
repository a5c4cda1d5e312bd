import Foundation
import Kernel
import Testing

@testable import Signing

@Suite struct MasterKeyTests {
    /// A folder of its own, removed when the body ends.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("master-key-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    private func write(_ bytes: [UInt8], to path: String, mode: Int) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test("The first start makes a private key file, and the second reads the same key")
    func firstStart() throws {
        try withFolder { folder in
            let path = folder + "/master.key"

            #expect(try MasterKey.load(at: path) == nil)
            let first = try MasterKey.loadOrCreate(at: path)
            let second = try MasterKey.loadOrCreate(at: path)

            #expect(first.id == second.id)
            let sealed = try SecretBox(first).seal(Secret("a"), context: "c")
            #expect(try SecretBox(second).open(sealed, context: "c") == Secret("a"))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["master.key"])
        }
    }

    @Test("Starts at the same moment all get the same key")
    func race() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("master-key-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path + "/master.key"

        let ids = try await withThrowingTaskGroup { group in
            for _ in 0..<16 { group.addTask { try MasterKey.loadOrCreate(at: path).id } }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }

        #expect(ids.count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["master.key"])
    }

    @Test("A key file that others can read is refused with what to do", arguments: [0o640, 0o604, 0o644, 0o660, 0o610])
    func openFile(_ mode: Int) throws {
        try withFolder { folder in
            let path = folder + "/master.key"
            try write([UInt8](repeating: 7, count: 32), to: path, mode: mode)

            let error = #expect(throws: MasterKeyError.self) { try MasterKey.loadOrCreate(at: path) }

            #expect(error?.fault == .file(.readableByOthers(mode: UInt32(mode))))
            #expect(error?.description.contains("chmod 600") == true)
        }
    }

    @Test("A key file may hold 32 raw bytes or their base64 text", arguments: ["", "\n", " \r\n"])
    func forms(_ end: String) throws {
        try withFolder { folder in
            let path = folder + "/master.key"
            let bytes = [UInt8](0..<32)

            try write(bytes, to: path, mode: 0o600)
            let raw = try MasterKey.load(at: path)
            try write(Array((Base64.encode(bytes) + end).utf8), to: path, mode: 0o400)
            let text = try MasterKey.load(at: path)

            #expect(raw != nil && raw?.id == text?.id)
        }
    }

    @Test(
        "An empty, short, long or undecodable key file is refused and left as it is", arguments: [0, 1, 31, 33, 2000])
    func badContents(_ count: Int) throws {
        try withFolder { folder in
            let path = folder + "/master.key"
            try write([UInt8](repeating: 0x21, count: count), to: path, mode: 0o600)

            #expect(throws: MasterKeyError.self) { try MasterKey.loadOrCreate(at: path) }

            #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == count)
        }
    }

    @Test("A folder in the key file's place and a missing folder are refused with the path")
    func badPlaces() throws {
        try withFolder { folder in
            #expect(throws: MasterKeyError(source: folder, fault: .file(.notAFile))) { try MasterKey.load(at: folder) }

            let missing = folder + "/none/master.key"
            let error = #expect(throws: MasterKeyError.self) { try MasterKey.loadOrCreate(at: missing) }
            #expect(error?.description.contains(missing) == true)
        }
    }

    @Test("A key from a setting is base64 text of 32 bytes, and nothing about it is printed")
    func fromText() throws {
        let text = Base64.encode([UInt8](0..<32))
        let key = try MasterKey(text: Secret(text + "\n"), source: "TRADEWIND_MASTER_KEY")
        var dumped = ""
        dump(key, to: &dumped)

        #expect(key.id == Array(ContentDigest.sha256([UInt8](0..<32)).prefix(4)))
        #expect(dumped == "- master key \(hexText(key.id))\n" || !dumped.contains("symmetric"))
        for bad in ["", "short", String(repeating: "a", count: 32), text + text] {
            let error = #expect(throws: MasterKeyError.self) {
                try MasterKey(text: Secret(bad), source: "TRADEWIND_MASTER_KEY")
            }
            #expect(error?.description.hasPrefix("TRADEWIND_MASTER_KEY") == true)
        }
    }
}
