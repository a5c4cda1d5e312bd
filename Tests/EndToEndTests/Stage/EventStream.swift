import HTTPTypes
import Kernel

extension RawConnection {
    static let stream = "/api/v1/webhooks/events/stream"

    /// Asks for something as a shop's tenant, on a connection of its own, so that a test sees what has come of an
    /// answer that is not at its end.
    ///
    /// - Parameter fields: further header fields, each with its line end.
    static func get(
        _ path: String, of shop: Shop, at server: TestServer, _ fields: String = ""
    ) async throws -> RawConnection {
        let connection = try await open(server)
        var request = "GET \(path) HTTP/1.1\r\nHost: x\r\n"
        for field in shop.api.headers { request += "\(field.name.rawName): \(field.value)\r\n" }
        await connection.send(request + fields + "\r\n")
        return connection
    }

    /// The events that a stream has shown so far.
    var events: [JSONValue] {
        text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.compactMap { line in
            try? JSONValue(parsing: Array(line.dropFirst(6).utf8))
        }
    }
}
