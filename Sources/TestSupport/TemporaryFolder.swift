import Foundation

/// Makes an empty folder, lends its path, and deletes it with all that is in it, also when the body fails.
package func withTemporaryFolder<T>(_ body: (_ path: String) async throws -> T) async throws -> T {
    let name = "tradewind-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let result: T
    do {
        result = try await body(folder)
    } catch {
        try FileManager.default.removeItem(atPath: folder)
        throw error
    }
    try FileManager.default.removeItem(atPath: folder)
    return result
}
