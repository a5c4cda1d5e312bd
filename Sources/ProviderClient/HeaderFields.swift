import HTTPTypes
import Kernel
import NIOHTTP1

/// The header fields to send: ours for the host, the caller's in their own spelling. The caller's `Host` is dropped: it
/// would name a host that the guard has not judged.
func requestHeaders(_ fields: HTTPFields, host: String) -> HTTPHeaders {
    var pairs: [(String, String)] = []
    pairs.reserveCapacity(fields.count + 2)
    pairs.append(("Host", host))
    for field in fields where field.name.canonicalName != "host" {
        pairs.append((field.name.rawName, field.value))
    }
    return HTTPHeaders(pairs)
}

/// The header fields of an answer in their order. One whose name is no token of HTTP is left out.
func httpFields(_ headers: HTTPHeaders) -> HTTPFields {
    var fields = HTTPFields()
    fields.reserveCapacity(headers.count)
    for (name, value) in headers {
        guard let name = HTTPField.Name(name) else { continue }
        fields.append(HTTPField(name: name, value: value))
    }
    return fields
}
