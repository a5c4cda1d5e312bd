import ArgumentParser
import Kernel
import Logging
import Server

/// The flags that most commands share. What is not given comes from the environment or the file.
struct SettingOptions: ParsableArguments {
    @Option(help: "Folder of the embedded store and of the keys.")
    var dataDir: String?

    @Option(help: "postgres:// URL; left out, the embedded store in the data folder is used.")
    var databaseURL: String?

    @Option(help: "YAML file with settings, one 'key: value' a line.")
    var config: String?

    @Option(name: .customLong("egress-allow"), help: "CIDR block that deliveries may go to; may be repeated.")
    var egressAllow: [String] = []

    @Flag(help: "Lets deliveries go over plain http, for development.")
    var egressAllowHTTP = false

    @Option(help: "HOST:PORT to serve on.")
    var listen: String?

    func settings() async throws -> Settings {
        var flags: [SettingKey: String] = [:]
        flags[.dataDirectory] = dataDir
        flags[.databaseURL] = databaseURL
        flags[.listen] = listen
        if !egressAllow.isEmpty { flags[.egressAllow] = egressAllow.joined(separator: ",") }
        if egressAllowHTTP { flags[.egressAllowHTTP] = "true" }
        return try await SettingsReader.read(
            flags: flags, environment: ProcessEnvironment.variables, file: config)
    }
}

extension Settings {
    /// Logs go to standard error: standard output belongs to what a command answers.
    var logger: Logger {
        var logger = Logger(label: "tradewind") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        return logger
    }
}
