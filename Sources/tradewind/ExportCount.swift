/// Counts the products of an export as its pieces arrive: each line of JSON is one, and so are rows of CSV that stand
/// together and begin with the same `product_id`. Pure.
struct ExportCount {
    private let isCSV: Bool
    private(set) var products = 0
    private var isHeading = true
    private var isQuoted = false
    private var isInFirstCell = true
    private var cell: [UInt8] = []
    private var lastCell: [UInt8] = []

    init(isCSV: Bool) { self.isCSV = isCSV }

    /// Takes what follows; pieces may begin and end anywhere.
    mutating func take(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n") where !isCSV: products += 1
            case _ where !isCSV: break
            // A quote inside of quotes stands twice, which leaves them open.
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted: isInFirstCell = false
            case UInt8(ascii: "\n") where !isQuoted: endRow()
            default: if isInFirstCell { cell.append(byte) }
            }
        }
    }

    private mutating func endRow() {
        if !isHeading, cell != lastCell {
            products += 1
            lastCell = cell
        }
        isHeading = false
        isInFirstCell = true
        cell.removeAll(keepingCapacity: true)
    }
}
