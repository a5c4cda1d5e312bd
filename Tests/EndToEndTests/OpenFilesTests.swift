import TestSupport
import Testing

@Suite("Open files")
struct OpenFilesTests {
    /// Begins a command under other limits than the test's.
    private static func shell(_ limits: String) -> [String] { ["/bin/sh", "-c", "\(limits); exec \"$@\"", "sh"] }

    @Test("A server that is started with few open files takes as many as it may")
    func raised() async throws {
        try await withCopies(1, of: .sqlite) { servers in
            let process = try await servers[0].start(wrapper: Self.shell("ulimit -S -n 128"))
            let limits = try Program.text(of: "/proc/\(process.identifier)/limits")
            let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            #expect(numbers.count == 2 && numbers[0] == numbers[1] && numbers[0] > 128, "\(line)")
        }
    }

    @Test("doctor says how many files the server may open, and warns of too few")
    func doctor() async throws {
        try await withTemporaryFolder { folder in
            let doctor = [Program.path, "doctor", "--data-dir", folder + "/data"]
            let usual = try await Program.run(Self.shell("ulimit -S -n 128") + doctor, input: [])
            #expect(usual.exit == .code(0), "\(usual.output)")
            #expect(usual.output.contains("now 128"))
            let few = try await Program.run(Self.shell("ulimit -n 4096") + doctor, input: [])
            #expect(few.exit == .code(0), "\(few.output)")
            #expect(few.output.contains("warn  open files: 4096 at most"))
        }
    }
}
