import Hummingbird
import Kernel
import NIOCore

extension BodyReader {
    /// Hands a body over in pieces of one size as it comes, for files that are larger than memory should hold. Each
    /// piece has the time that a whole body has elsewhere, so that a slow line is no fault and a silent one is.
    package func pieces(
        of request: Request, on channel: any Channel, size: Int, limit: Int,
        _ take: (_ piece: [UInt8], _ position: Int) async throws -> Void
    ) async throws -> Int {
        let declared = request.headers[.contentLength].flatMap { Int($0) }
        var pending: [UInt8] = []
        var position = 0
        var ticket = watch?.begin(channel)
        // After a 413 the ticket stays, as it does for whole bodies.
        var isTooLarge = false
        defer { if let ticket, !isTooLarge { watch?.end(ticket) } }
        do {
            if let declared, declared > limit { throw Problem.tooLarge(limit: limit) }
            for try await buffer in request.body {
                if position + pending.count + buffer.readableBytes > limit { throw Problem.tooLarge(limit: limit) }
                pending.append(contentsOf: buffer.readableBytesView)
                guard pending.count >= size else { continue }
                if let ticket { watch?.end(ticket) }
                ticket = nil
                try await take(pending, position)
                position += pending.count
                pending = []
                ticket = watch?.begin(channel)
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch let problem as Problem where problem.status == .contentTooLarge {
            isTooLarge = true
            throw problem
        } catch let error where Problem(error) == nil {
            throw Self.problem(of: error)
        }
        if let declared, position + pending.count < declared { throw Self.cutOff }
        if !pending.isEmpty { try await take(pending, position) }
        return position + pending.count
    }
}
