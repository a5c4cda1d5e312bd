import ArgumentParser
import Server

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the settings in force and checks the store, the disk, the clock and the keys.")

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let settings = try await options.settings()
        let report = await Examination.run(settings, logger: settings.logger)
        for line in report.lines { print(line) }
        if !report.isHealthy { throw ExitCode(1) }
    }
}
