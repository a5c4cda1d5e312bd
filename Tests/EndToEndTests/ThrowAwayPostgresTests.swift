import Foundation
import Kernel
import TestSupport
import Testing

@Suite("The throw-away PostgreSQL of the tests")
struct ThrowAwayPostgresTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("scripts/lib/postgres").path

    private func call(_ words: String..., patience: Int = 60) async throws -> Program.Outcome {
        try await Program.run([Self.script] + words, environment: ["PGCTLTIMEOUT": String(patience)], input: [])
    }

    @Test("A server that does not stop is named with its folder and keeps it; one that stops leaves nothing")
    func stop() async throws {
        let started = try await call("start", String(ProcessInfo.processInfo.processIdentifier))
        #expect(started.exit == .code(0), "\(started.errors)")
        let folder = started.output.trimmed
        let file = try Program.text(of: folder + "/data/postmaster.pid")
        let process = try #require(Int32(file.prefix { $0 != "\n" }))

        kill(process, SIGSTOP)
        let stuck = try await call("stop", folder, patience: 1)
        kill(process, SIGCONT)
        #expect(stuck.exit == .code(1))
        #expect(stuck.errors.contains("process \(process)") && stuck.errors.contains(folder), "\(stuck.errors)")
        #expect(FileManager.default.fileExists(atPath: folder + "/data"))

        #expect(try await call("stop", folder).exit == .code(0))
        #expect(!FileManager.default.fileExists(atPath: folder))
        let foreign = try await call("stop", NSTemporaryDirectory())
        #expect(foreign.exit == .code(1) && foreign.errors.contains("nothing was stopped"))
    }
}
