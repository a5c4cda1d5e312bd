import ArgumentParser
import NIOCore
import NIOPosix
import Server

/// The process's entry: NIO's loops carry Swift's tasks too, so that a request does not change threads on its way.
@main
enum Main {
    static func main() async {
        _ = NIOSingletons.unsafeTryInstallSingletonPosixEventLoopGroupAsConcurrencyGlobalExecutor()
        await Tradewind.main()
    }
}

struct Tradewind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tradewind",
        abstract:
            "A commerce integration and event hub: signed store webhooks in, matched orders and signed events out.",
        version: ServerBuilder.version,
        subcommands: [Serve.self, Dev.self, Token.self, Migrate.self, Doctor.self, Version.self])
}
