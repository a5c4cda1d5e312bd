import ArgumentParser
import Server

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves with a development workspace and plays recorded store deliveries through it.")

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let settings = try await options.settings()
        let output = DevelopmentOutput(isTerminal: isatty(STDOUT_FILENO) == 1) { text in
            print(text, terminator: "")
            // A pipe would hold lines back until it has 4 KiB of them.
            fflush(nil)
        }
        try await DevelopmentSession(settings, output: output, logger: settings.logger).run()
    }
}
