import ArgumentParser

/// Takes the figures of the real binary, each beside a floor measured in the same run.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Takes the server's figures on this machine, each beside a floor measured in the same run.",
        subcommands: [
            AllCommand.self, AcceptCommand.self, FlushCommand.self, EndToEndCommand.self, DeliveriesCommand.self,
            FirstByteCommand.self, HangingTenantCommand.self, ParkedCommand.self, ReplayCommand.self,
            InFlightCommand.self, FeedCommand.self, StartCommand.self, KeptCommand.self, ImportCommand.self,
            CatalogueCommand.self, CatalogFeedCommand.self, DriverCommand.self, NoopServer.self, CommitLoop.self,
        ])
}
