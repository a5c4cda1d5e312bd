import Foundation
import TestSupport

/// The real program, built beside these tests.
enum Program {
    /// The tests lie in `Tests/EndToEndTests/Stage` of the checkout whose build made the program.
    static let path: String = {
        let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        // The bundle of the tests lies beside the program, wherever the build folder is.
        let beside = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
        var folder = beside.deletingLastPathComponent()
        while folder.path.count > 1 {
            let candidate = folder.appendingPathComponent("tradewind").path
            if FileManager.default.isExecutableFile(atPath: candidate), !isFolder(candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        return checkout.appendingPathComponent(".build/debug/tradewind").path
    }()

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    struct Outcome {
        let exit: ChildProcess.Exit
        let output: String
        let errors: String
    }

    /// Runs one command to its end.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
        try await run([path] + arguments, environment: environment, input: [])
    }

    /// Runs any command to its end, with something on its standard input.
    static func run(
        _ command: [String], environment: [String: String] = [:], input: [UInt8]
    ) async throws -> Outcome {
        try await withTemporaryFolder { folder in
            try Data(input).write(to: URL(fileURLWithPath: folder + "/in"))
            let process = try ChildProcess(
                command, environment: environment, input: folder + "/in", output: folder + "/out",
                errors: folder + "/err")
            let exit = await process.exit()
            return Outcome(
                exit: exit, output: try text(of: folder + "/out"), errors: try text(of: folder + "/err"))
        }
    }

    static func text(of path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    }
}
