import Commerce
import HTTPTypes
import Hummingbird
import Kernel

extension Request {
    /// Which version of a row the caller means to change. Without the header any will do.
    package func versionMatch() throws -> VersionMatch {
        guard let header = headers[.ifMatch] else { return .any }
        if header.trimmed == "*" { return .any }
        // Weak validators never match here (RFC 9110, 13.1.1), and a tag that is none of ours names no version.
        return .oneOf(
            header.split(separator: ",").compactMap { tag in
                let tag = String(tag).trimmed
                guard tag.utf8.count > 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return nil }
                return Int64(tag.dropFirst().dropLast())
            })
    }
}

extension JSONResponse {
    /// One object with the ETag of the row's version.
    package init(
        status: HTTPResponse.Status = .ok, version: Int64, _ body: (inout JSONWriter) -> Void
    ) {
        self.init(status: status, headers: [.eTag: VersionMatch.etag(version)], body)
    }
}
