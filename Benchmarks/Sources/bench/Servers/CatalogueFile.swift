/// A catalogue as a CSV file, and its way into a server.
struct CatalogueFile {
    let products: Int
    let variantsEach: Int
    /// Whether products have what a shop window shows: a description, two pictures, options, a trade item number.
    var isFull = false

    /// What became of an import.
    struct Progress: Decodable {
        struct Rows: Decodable {
            let created: Int
            let refused: Int
        }

        let state: String
        let rows: Rows
    }

    private struct Begun: Decodable { let id: String }

    private var text: String {
        let more = isFull ? ",description,media,option_names,options,gtin" : ""
        return (0..<products * variantsEach).reduce(
            into: "handle,title,status,sku,price,currency,brand,tags\(more)\n"
        ) { text, number in
            // Further rows of a product repeat what is the product's.
            let product = number / variantsEach
            text += "p-\(product),Product \(product),active,SKU-\(number),\(number % 100).50,EUR,Acme,\"new, sale\""
            text += (isFull ? Self.window(product, number) : "") + "\n"
        }
    }

    private static func window(_ product: Int, _ variant: Int) -> String {
        let words = "<p>Waterproof boot number \(product), with a sole that grips &amp; a lining that dries.</p>"
        let pictures = ["front", "side"].map { #"{"url":"https://img.example/\#(product)-\#($0).jpg","alt":"\#($0)"}"# }
        let cells = [
            words, "[\(pictures.joined(separator: ","))]", "Size", #"{"Size":"\#(36 + variant % 12)"}"#,
            tradeItemNumber(variant),
        ]
        return cells.map { ",\"" + $0.replacingQuotes() + "\"" }.joined()
    }

    /// A number of thirteen digits whose last one checks the others, as GS1 has it: every second digit counts three.
    private static func tradeItemNumber(_ number: Int) -> String {
        let digits = String(400_000_000_000 + number)
        let sum = digits.utf8.enumerated().reduce(0) {
            $0 + Int($1.element - 48) * ($1.offset.isMultiple(of: 2) ? 1 : 3)
        }
        return digits + String((10 - sum % 10) % 10)
    }

    /// Returns how many nanoseconds passed from the first byte to the last row.
    @discardableResult
    func bringIn(_ client: ControlClient) async throws -> Int64 {
        let (text, path) = (text, "/api/v1/pim/imports")
        let began = LoadRun.now()
        let begun: Begun = try await client.require(
            client.post(path + "?format=csv", json: text), 202, "an import"
        ).decoded()
        var progress: Progress
        repeat {
            try await Task.sleep(for: .milliseconds(50))
            progress = try await client.require(client.get("\(path)/\(begun.id)"), 200, "its progress").decoded()
        } while progress.state == "running"
        guard progress.state == "completed", progress.rows.refused == 0 else {
            throw BenchError("the import ended as \(progress.state) with \(progress.rows.refused) rows refused")
        }
        return LoadRun.now() - began
    }
}

extension String {
    /// Quotes doubled, as a CSV cell between quotes has them.
    fileprivate func replacingQuotes() -> String {
        split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    }
}
