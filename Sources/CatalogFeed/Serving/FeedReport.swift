import Commerce
import Kernel

/// What a feed left out and why, read from the feed itself: it tells of just the state that readers get.
package struct FeedReport: Sendable {
    /// The place of a page: behind so many lines of a product.
    package struct Cursor: Sendable, Equatable, CustomStringConvertible {
        let product: ProductID
        let line: Int

        package init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let product = ProductID(parts[0]), let line = Int(parts[1]), line > 0 else {
                return nil
            }
            self.init(product: product, line: line)
        }

        init(product: ProductID, line: Int) {
            self.product = product
            self.line = line
        }

        package var description: String { "\(product).\(line)" }
    }

    private let file: FeedFile

    package init(_ file: FeedFile) { self.file = file }

    /// Active products, and how much of them stands where.
    package func writeSummary(_ writer: inout JSONWriter) {
        writer.field("products", file.manifest.productCount)
        writer.objectField("variants") { writer in
            for format in FeedFormat.allCases {
                writer.field(format.rawValue, file.manifest.itemCount(FeedPart(format)))
            }
        }
        writer.field("notes", file.manifest.itemCount(.report))
        writer.field("changed_at", file.manifest.changedAt)
    }

    /// Some lines, each a JSON object, in the order of their products; and where the next page begins.
    package func page(
        after cursor: Cursor?, limit: Int, in data: DataFile
    ) throws -> (lines: [[UInt8]], next: Cursor?) {
        var lines: [[UInt8]] = []
        var last: Cursor?
        for segment in file.manifest.segments {
            let extent = segment.extents[FeedPart.report.rawValue]
            if extent.itemCount == 0 || segment.last < (cursor?.product ?? .zero) { continue }
            for product in try file.products(of: segment, in: data) {
                let text = product.fragments[FeedPart.report.rawValue].bytes
                for (index, line) in text.split(separator: 0x0A).enumerated() {
                    let place = Cursor(product: product.id, line: index + 1)
                    if let cursor, (place.product, place.line) <= (cursor.product, cursor.line) { continue }
                    if lines.count == limit { return (lines, last) }
                    lines.append(Array(line))
                    last = place
                }
            }
        }
        return (lines, nil)
    }
}
