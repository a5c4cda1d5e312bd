import Crypto
import HTTPTypes
import Kernel
import Signing

/// The API's document as one page that needs nothing from elsewhere and is whole without its script, which only
/// narrows the list to what is typed.
struct DocumentPage {
    private(set) var bytes: [UInt8] = []
    /// The content security policy that lets in this page's own style and script, and nothing else.
    let policy: String

    init(_ groups: [OperationGroup]) {
        let hashes = [Self.style, Self.script].map {
            "'sha256-\(Base64.encode(Array(SHA256.hash(data: Array($0.utf8)))))'"
        }
        policy =
            "default-src 'none'; style-src \(hashes[0]); script-src \(hashes[1]); base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'"
        write(
            """
            <!doctype html><html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1"><title>Tradewind API</title>
            <style>\(Self.style)</style></head><body><header><h1>Tradewind API</h1>
            <p>Also as <a href="/openapi.json">OpenAPI 3.1</a>. Every call but the public ones carries
            <code>Authorization: Bearer</code>, <code>X-Tenant-ID</code> and <code>X-Org-ID</code>. Errors are
            <a href="#schema-Problem">application/problem+json</a>.</p>
            <input id="find" type="search" placeholder="Find a route" aria-label="Find a route" hidden></header><nav>
            """)
        for group in groups { write("<a href=\"#\(Self.anchor(group.name))\">\(Self.escaped(group.name))</a> ") }
        write("</nav><main>")
        for group in groups { write(group) }
        write(
            """
            <section><h2>Problems</h2><details id="schema-Problem"><summary>Problem</summary>
            <pre>\(Self.pretty(OpenAPIDocument.problem))</pre></details></section></main>
            <script>\(Self.script)</script></body></html>
            """)
    }

    private mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func write(_ group: OperationGroup) {
        write("<section id=\"\(Self.anchor(group.name))\"><h2>\(Self.escaped(group.name))</h2>")
        write("<p>\(Self.escaped(group.summary))</p>")
        for operation in group.operations { write(operation) }
        for (name, schema) in group.schemas {
            write("<details id=\"schema-\(name)\"><summary>Schema <code>\(name)</code></summary>")
            write("<pre>\(Self.pretty(schema))</pre></details>")
        }
        write("</section>")
    }

    private mutating func write(_ operation: Operation) {
        let method = operation.method.rawValue
        write(
            """
            <details class="operation" id="\(operation.id)"><summary><b class="\(method.lowercased())">\(method)</b>
            <code>\(Self.escaped(operation.path))</code> \(Self.escaped(operation.summary))</summary>
            <p>For \(Self.words(operation.access)).</p>
            """)
        writeParameters(operation)
        if let body = operation.body {
            write("<h3>Body\(body.isRequired ? "" : ", optional")</h3><pre>\(Self.pretty(body.schema))</pre>")
        }
        write("<h3>Answers</h3><dl>")
        for answer in operation.answers {
            write("<dt>\(answer.status) \(HTTPResponse.Status(code: answer.status).reasonPhrase)</dt><dd>")
            if let schema = answer.schema {
                write("\(Self.escaped(answer.contentType))<pre>\(Self.pretty(schema))</pre>")
            }
            write("</dd>")
        }
        let problems = operation.problems.sorted().map { "\($0) \(HTTPResponse.Status(code: $0).reasonPhrase)" }
        write("<dt>Problems</dt><dd>\(Self.escaped(problems.joined(separator: ", ")))</dd></dl>")
        write("<h3>Example</h3><pre>\(Self.escaped(Self.curl(operation)))</pre></details>")
    }

    private mutating func writeParameters(_ operation: Operation) {
        let rows = operation.query.map { ("query", $0) } + operation.headers.map { ("header", $0) }
        if rows.isEmpty { return }
        write("<h3>Parameters</h3><dl>")
        for (place, parameter) in rows {
            write("<dt><code>\(Self.escaped(parameter.name))</code> in \(place)")
            write(
                "\(parameter.isRequired ? ", required" : "")</dt><dd><pre>\(Self.pretty(parameter.schema))</pre></dd>")
        }
        write("</dl>")
    }

    // MARK: Words

    private static func words(_ access: Operation.Access) -> String {
        switch access {
        case .anyone, .monitor: "anyone"
        case .signature: "whoever signs the body with the connection's secret"
        case .role(let role): "callers of the role \(role.rawValue) or above"
        case .key: "callers with a token or an API key"
        }
    }

    private static func curl(_ operation: Operation) -> String {
        var line = "curl -X \(operation.method.rawValue) \"$TRADEWIND\(operation.path)\""
        switch operation.access {
        case .role, .key:
            line += " \\\n  -H \"Authorization: Bearer $TOKEN\" -H \"X-Tenant-ID: $TENANT\" -H \"X-Org-ID: $ORG\""
        case .signature: line += " \\\n  -H \"X-Unified-Signature: $SIGNATURE\""
        case .anyone, .monitor: break
        }
        if let example = operation.body?.example { line += " \\\n  -d '\(example)'" }
        return line
    }

    private static func anchor(_ name: String) -> String {
        "group-" + name.lowercased().map { $0 == " " ? "-" : String($0) }.joined()
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "&": out += "&amp;"
            case "\"": out += "&quot;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    // MARK: Schemas

    /// A schema as indented JSON, with links to the components that it names.
    private static func pretty(_ schema: Schema) -> String {
        guard let value = try? JSONValue(parsing: schema.json) else { preconditionFailure("a schema is JSON") }
        return pretty(value, indent: "")
    }

    private static func pretty(_ value: JSONValue, indent: String) -> String {
        let deeper = indent + "  "
        switch value {
        case .object(let object):
            if object.members.isEmpty { return "{}" }
            let rows = object.members.map { member in
                if member.name == "$ref", let path = member.value.string, let name = path.split(separator: "/").last {
                    return "\(deeper)\"$ref\": <a href=\"#schema-\(name)\">\(name)</a>"
                }
                return "\(deeper)\"\(escaped(member.name))\": \(pretty(member.value, indent: deeper))"
            }
            return "{\n\(rows.joined(separator: ",\n"))\n\(indent)}"
        case .array(let items):
            if items.allSatisfy({ $0.object == nil }) {
                return "[\(items.map { pretty($0, indent: deeper) }.joined(separator: ", "))]"
            }
            return "[\n\(items.map { deeper + pretty($0, indent: deeper) }.joined(separator: ",\n"))\n\(indent)]"
        default:
            return escaped(String(decoding: JSONWriter.bytes(of: value), as: UTF8.self))
        }
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}nav a{margin-right:.5rem}\
        pre{overflow:auto;background:#8882;padding:.6rem;font-size:.85rem}summary{cursor:pointer;padding:.2rem 0}\
        summary b{display:inline-block;min-width:4.5rem}.get{color:#06c}.post{color:#080}.delete{color:#b00}\
        .patch,.put{color:#a60}dt{font-weight:600}details details,.operation>:not(summary){margin-left:1rem}\
        input{width:100%;padding:.4rem;font:inherit}:root{color-scheme:light dark}
        """

    private static let script = """
        const find=document.getElementById("find");find.hidden=false;\
        find.addEventListener("input",()=>{const words=find.value.toLowerCase();\
        for(const one of document.querySelectorAll(".operation"))\
        one.hidden=!one.firstElementChild.textContent.toLowerCase().includes(words)});\
        const open=()=>{const one=document.getElementById(location.hash.slice(1));\
        if(one&&one.tagName==="DETAILS")one.open=true};addEventListener("hashchange",open);open();
        """
}
