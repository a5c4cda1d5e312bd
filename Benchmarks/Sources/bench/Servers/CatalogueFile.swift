/// A catalogue as a CSV file, and its way into a server.
struct CatalogueFile {
    let products: Int
    let variantsEach: Int

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
        (0..<products * variantsEach).reduce(into: "handle,title,status,sku,price,currency,brand,tags\n") {
            text, number in
            // Further rows of a product repeat what is the product's.
            let product = number / variantsEach
            text += "p-\(product),Product \(product),active,SKU-\(number),\(number % 100).50,EUR,Acme,\"new, sale\"\n"
        }
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
