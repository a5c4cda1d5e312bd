import ArgumentParser
import Server

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the store's schema to this version; 'serve' does so by itself.")

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let settings = try await options.settings()
        let ran = try await ServerBuilder.migrate(settings, logger: settings.logger)
        print(ran.isEmpty ? "the schema is up to date" : "ran steps \(ran.map(String.init).joined(separator: ", "))")
    }
}
