import API
import HTTPTypes
import Kernel
import Synchronization
import Testing

/// Calls one route after the other, and keeps book of the good answers that it got.
final class RouteWalk: Sendable {
    let shop: Shop
    private let got = Mutex<Set<String>>([])
    private let calls = Mutex(0)

    init(_ shop: Shop) { self.shop = shop }

    /// Good answers that the document tells of and no call has got.
    var missing: [String] { DocumentCheck.shared.goodAnswers.subtracting(got.withLock { $0 }).sorted() }

    /// Calls a route, which must answer well. One that takes an `Idempotency-Key` is called with the same key again,
    /// which must give the same answer, and with another body under it, which must be refused.
    ///
    /// - Parameters:
    ///   - isPublic: leaves out the token and the tenant's headers.
    ///   - isOnce: whether a route that takes a key gets one.
    @discardableResult
    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, _ more: HTTPFields = [:],
        isPublic: Bool = false, isOnce: Bool = true
    ) async throws -> Answer {
        let caller = isPublic ? shop.api.bare : shop.api
        let (name, operation) = try #require(DocumentCheck.shared.operation(method, path), "no route \(method) \(path)")
        let takesKey = operation["parameters"]?.array?.contains { $0["name"]?.string == "Idempotency-Key" } ?? false
        var headers = more
        if takesKey, isOnce {
            let number = calls.withLock { calls in
                calls += 1
                return calls
            }
            headers[.idempotencyKey] = "walk-\(number)"
        }
        let answer = try await caller.call(method, path, body, headers)
        #expect((200..<400).contains(answer.status), "\(name): \(answer.text)")
        note("\(name) \(answer.status)")
        guard takesKey, isOnce else { return answer }
        let again = try await caller.call(method, path, body, headers)
        #expect(again.status == answer.status, "\(name) again: \(again.text)")
        // An import's answer is the import as it stands.
        let isImport = name.hasSuffix("/imports")
        #expect(isImport ? again["id"] == answer["id"] : again.body == answer.body, "\(name) again: \(again.text)")
        let other = try await caller.call(method, path, (body ?? "") + " ", headers)
        #expect(other.status == 409, "\(name) with another body: \(other.text)")
        return answer
    }

    /// Takes down an answer that was got in another way.
    func note(_ answer: String) { got.withLock { _ = $0.insert(answer) } }
}
