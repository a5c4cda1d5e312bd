import Commerce

/// Carries changed products into the segments: those that a change touches are cut anew, the others stay as they are.
///
/// Pure but for what it is handed. Cutting anew ends as soon as the old and the new cuts fall together again, which is
/// usually within one segment.
struct Resegmenter {
    enum Output {
        case kept(FeedSegment)
        case cut(SealedSegment)
    }

    private var open: [RenderedProduct] = []

    /// - Parameters:
    ///   - edits: the new form of each changed product, nil for one that is gone.
    ///   - load: reads the products of an old segment.
    ///   - emit: takes what comes out, in order.
    mutating func run(
        _ segments: [FeedSegment], edits: [ProductID: RenderedProduct?],
        load: (FeedSegment) throws -> [RenderedProduct], emit: (Output) throws -> Void
    ) throws {
        let changed = edits.keys.sorted()
        var at = 0
        for (number, segment) in segments.enumerated() {
            let from = at
            let isLast = number == segments.count - 1
            while at < changed.count, isLast || changed[at] <= segment.last { at += 1 }
            if open.isEmpty, from == at {
                try emit(.kept(segment))
                continue
            }
            try merge(load(segment), changed[from..<at], edits, emit)
        }
        if segments.isEmpty { try merge([], changed[...], edits, emit) }
        try close(emit)
    }

    private mutating func merge(
        _ old: [RenderedProduct], _ changed: ArraySlice<ProductID>, _ edits: [ProductID: RenderedProduct?],
        _ emit: (Output) throws -> Void
    ) throws {
        var products = old.filter { edits.index(forKey: $0.id) == nil }
        for id in changed { if let product = edits[id] ?? nil { products.append(product) } }
        products.sort { $0.id < $1.id }
        for product in products {
            open.append(product)
            if FeedSegment.ends(after: product.id, weight: product.weight) { try close(emit) }
        }
    }

    private mutating func close(_ emit: (Output) throws -> Void) throws {
        if let sealed = SealedSegment(open) { try emit(.cut(sealed)) }
        open = []
    }
}
