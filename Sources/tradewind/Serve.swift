import ArgumentParser
import Server

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves until SIGTERM.")

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let settings = try await options.settings()
        try await ServerBuilder.build(settings, logger: settings.logger).run()
    }
}
