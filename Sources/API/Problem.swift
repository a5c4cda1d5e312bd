import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// An answer that is an error: `application/problem+json` (RFC 9457) with Synq's one-sentence `error` beside it.
package struct Problem: Error, Sendable {
    package var status: HTTPResponse.Status
    /// One plain sentence.
    package var sentence: String
    /// Each bad field by its JSON pointer.
    package var faults: [FieldFault]
    /// Members besides those of every problem.
    package var fields: [Refusal.Field]
    package var headers: HTTPFields

    package init(
        _ status: HTTPResponse.Status, _ sentence: String, faults: [FieldFault] = [], fields: [Refusal.Field] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.sentence = sentence
        self.faults = faults
        self.fields = fields
        self.headers = headers
    }

    package static let contentType = "application/problem+json"

    /// The response, with the id by which the log knows the request.
    package func response(requestID: String) -> Response {
        var headers = headers
        headers[.contentType] = Self.contentType
        let body = ResponseBody(byteBuffer: ByteBuffer(bytes: body(requestID: requestID)))
        return Response(status: status, headers: headers, body: body)
    }

    /// The same as bytes alone, for answers that don't go through the router.
    func body(requestID: String) -> [UInt8] {
        // RFC 9457 advises the status phrase as title where the type says no more than the status does.
        JSONWriter.object { writer in
            writer.field("type", "about:blank")
            writer.field("title", status.reasonPhrase.isEmpty ? "Error" : status.reasonPhrase)
            writer.field("status", status.code)
            writer.field("detail", faults.isEmpty ? sentence : InvalidDocument(faults).description)
            writer.field("error", sentence)
            if !faults.isEmpty {
                writer.arrayField("errors") { writer in
                    for fault in faults {
                        writer.object { writer in
                            writer.field("pointer", fault.pointer)
                            writer.field("detail", fault.detail)
                        }
                    }
                }
            }
            for field in fields { writer.field(field.name, field.value) }
            writer.field("request_id", requestID)
        }
    }
}

// MARK: - The usual ones

extension Problem {
    /// 400: the request cannot be understood.
    package static func badRequest(_ sentence: String) -> Problem { Problem(.badRequest, sentence) }

    /// 401 with the challenge that RFC 6750 asks for.
    package static func unauthorized(_ sentence: String, isToken: Bool = false) -> Problem {
        Problem(
            .unauthorized, sentence,
            headers: [.wwwAuthenticate: isToken ? "Bearer error=\"invalid_token\"" : "Bearer"])
    }

    /// 403: the caller is known and may not.
    package static func forbidden(_ sentence: String) -> Problem { Problem(.forbidden, sentence) }

    /// 404 in the words that an id of another tenant gets as well.
    package static func notFound(_ what: String) -> Problem { Problem(.notFound, "There is no such \(what).") }

    /// 409: the rows stand in the way; `fields` may name what does.
    package static func conflict(_ sentence: String, fields: [Refusal.Field] = []) -> Problem {
        Problem(.conflict, sentence, fields: fields)
    }

    /// 410: it was there; `fields` may say where to go on.
    package static func gone(_ sentence: String, fields: [Refusal.Field] = []) -> Problem {
        Problem(.gone, sentence, fields: fields)
    }

    /// 413. The connection ends with the answer: what is still being sent is not read for ever.
    package static func tooLarge(limit: Int) -> Problem {
        Problem(
            .contentTooLarge, "The body is larger than \(limit) bytes.",
            fields: [Refusal.Field("limit", .number(String(limit)))], headers: [.connection: "close"])
    }

    /// 429, with whole seconds to wait.
    package static func tooMany(_ sentence: String, retryAfter: Int) -> Problem {
        Problem(.tooManyRequests, sentence, headers: [.retryAfter: String(retryAfter)])
    }

    /// 503 for what cannot be done now, with whole seconds to wait.
    package static func unavailable(_ sentence: String, retryAfter: Int = 1) -> Problem {
        Problem(.serviceUnavailable, sentence, headers: [.retryAfter: String(retryAfter)])
    }
}
