import ArgumentParser
import Server

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the version.")

    func run() { print("tradewind \(ServerBuilder.version)") }
}
