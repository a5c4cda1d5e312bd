import ArgumentParser
import Server

struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves with a development workspace and plays recorded store deliveries through it.")

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let settings = try await options.settings()
        try await DevelopmentSession(settings, logger: settings.logger).run()
    }
}
