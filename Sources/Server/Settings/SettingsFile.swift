import Configuration
import Kernel
import SystemPackage

/// The configuration file: YAML with one `key: value` a line and no nesting.
enum SettingsFile {
    /// The file's values by key; throws for keys that don't exist, naming those that do.
    static func values(at path: String) async throws -> [SettingKey: String] {
        let provider: FileProvider<YAMLSnapshot>
        do { provider = try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)) } catch {
            throw SettingError(key: "config", source: path, detail: "the file can't be read as YAML: \(error)")
        }
        let reader = ConfigReader(provider: provider)
        var values: [SettingKey: String] = [:]
        for name in try names(in: path) {
            guard let key = SettingKey(rawValue: name) else {
                let known = SettingKey.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingError(key: name, source: path, detail: "is unknown; known are \(known)")
            }
            values[key] = value(of: key, reader)
        }
        return values
    }

    /// YAML has types; a setting has one text, whichever way it was written.
    private static func value(of key: SettingKey, _ reader: ConfigReader) -> String? {
        let name = ConfigKey(key.rawValue)
        if let text = reader.string(forKey: name, isSecret: key.isSecret) { return text }
        if let number = reader.int(forKey: name) { return String(number) }
        if let flag = reader.bool(forKey: name) { return String(flag) }
        return reader.stringArray(forKey: name)?.joined(separator: ",")
    }

    /// The names at the start of lines. The library reads values by key and does not list keys.
    private static func names(in path: String) throws -> [String] {
        let text = String(decoding: try bytes(at: path), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            guard let first = line.first, first.isLetter || first == "_", let colon = line.firstIndex(of: ":") else {
                return nil
            }
            return String(line[..<colon])
        }
    }

    /// All that a file holds.
    static func bytes(at path: String) throws -> [UInt8] {
        let descriptor = try FileDescriptor.open(FilePath(path), .readOnly)
        return try descriptor.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                if count == 0 { return bytes }
                bytes += buffer.prefix(count)
            }
        }
    }
}
