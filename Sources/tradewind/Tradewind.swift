import ArgumentParser
import Server

@main
struct Tradewind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tradewind",
        abstract: "A commerce integration and event hub.",
        discussion: "Signed store webhooks come in, matched orders and signed events go out.",
        version: ServerBuilder.version,
        subcommands: [
            Serve.self, Dev.self, Token.self, Migrate.self, Doctor.self, Version.self, ImportFile.self,
            ExportFile.self, Listen.self, Trigger.self, ReplayEvents.self, Verify.self,
        ])
}
