import CatalogFeed
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// `/feeds/{token}/{name}`: the files of the catalogue feed, for whoever has their address.
struct FeedFileRoutes {
    let services: CatalogFeedServices

    func mount(on routes: some RouterMethods<AppContext>) {
        routes.get("/feeds/{token}/{name}", use: file)
    }

    @Sendable private func file(_ request: Request, _ context: AppContext) async throws -> Response {
        let target = try target(context)
        let (file, data) = try await services.feeds.open(target.scope)
        let isCompressed = FileConditions.takesGzip(request.headers)
        let representation = file.representation(target.format, isCompressed: isCompressed)
        let count = representation.count
        var headers: HTTPFields = [
            .eTag: representation.tag, .lastModified: HTTPDate.text(of: representation.changedAt),
            .vary: "Accept-Encoding", .acceptRanges: "bytes", .cacheControl: "private, no-cache",
        ]
        let answer = FileConditions.answer(
            to: request.headers, tag: representation.tag, changedAt: representation.changedAt, count: count,
            isGet: request.method == .get)
        switch answer {
        case .notModified: return Response(status: .notModified, headers: headers)
        case .preconditionFailed: throw Problem(.preconditionFailed, "The file is another one by now.")
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, "The file has \(count) bytes.", headers: [.contentRange: "bytes */\(count)"])
        case .whole, .part: break
        }
        headers[.contentType] = target.format.contentType
        if isCompressed { headers[.contentEncoding] = "gzip" }
        guard case .part(let range) = answer else {
            return Response(status: .ok, headers: headers, body: body(representation, 0..<count, data))
        }
        headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(count)"
        return Response(status: .partialContent, headers: headers, body: body(representation, range, data))
    }

    private func target(_ context: AppContext) throws -> FeedAddresses.Target {
        let token = context.parameters.get("token") ?? ""
        do throws(FeedAddresses.Fault) {
            let target = try services.addresses.target(of: token, now: services.time.now())
            guard context.parameters.get("name") == target.format.fileName else { throw .malformed }
            return target
        } catch {
            switch error {
            case .malformed: throw Problem.notFound("file")
            case .forged: throw Problem.forbidden("The address is not one that this server gave.")
            case .expired:
                throw Problem.forbidden("The address has expired; GET /api/v1/ucp/catalog.json gives a new one.")
            }
        }
    }

    /// Sends piece after piece, none of them kept: a crawl costs the memory of one piece. The file is open until the
    /// last of it, so that it is one state from beginning to end.
    private func body(_ representation: FeedRepresentation, _ range: Range<Int>, _ data: DataFile) -> ResponseBody {
        let pieces = representation.pieces(in: range)
        return ResponseBody(contentLength: range.count) { writer in
            for piece in pieces {
                switch piece {
                case .bytes(let bytes): try await writer.write(ByteBuffer(bytes: bytes))
                case .file(let offset, let count):
                    try await writer.write(ByteBuffer(bytes: data.read(at: offset, count: count)))
                }
            }
            try await writer.finish(nil)
        }
    }
}
