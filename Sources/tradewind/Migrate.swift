import ArgumentParser
import Server
import Storage

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the store's schema to this version; 'serve' does so by itself.")

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let settings = try await options.settings()
        let database = try ServerBuilder.openDatabase(settings, logger: settings.logger)
        let outcome: Result<[Int], any Error>
        do { outcome = .success(try await database.migrate()) } catch { outcome = .failure(error) }
        await database.shutdown()
        let ran = try outcome.get()
        print(ran.isEmpty ? "the schema is up to date" : "ran steps \(ran.map(String.init).joined(separator: ", "))")
    }
}
