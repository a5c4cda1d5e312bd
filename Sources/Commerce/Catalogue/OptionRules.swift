import Kernel

/// Whether a product's option names and its variants' values fit together.
enum OptionRules {
    /// Takes the names from the variants where the product has none, and puts values in the order of the names.
    ///
    /// - Parameter pointer: where in the caller's document the options of the variant at an index stand; nil for
    ///   variants that the document doesn't name, whose faults are told of the product's options.
    static func settle(_ product: inout Product, pointer: (Int) -> String?) throws {
        var details = try product.details
        let values = try product.variants.map { try $0.options }
        if details.options.isEmpty {
            if values.allSatisfy(\.isEmpty) { return }
            for name in values.joined().map(\.name) where !details.options.contains(name) {
                details.options.append(name)
            }
            product.keptDetails = details.kept
        }
        var faults: [FieldFault] = []
        if details.options.count > Limits.productOptions {
            faults.append(
                FieldFault(pointer: "/options", detail: "would have more than \(Limits.productOptions) elements"))
        }
        var holders: [[UInt8]: Int] = [:]
        for (index, values) in values.enumerated() where !values.isEmpty {
            let ordered = details.options.compactMap { name in values.first { $0.name == name } }
            if let stray = values.first(where: { !details.options.contains($0.name) }) {
                let detail = "\"\(stray.name)\" is not an option of the product"
                let kept = "\"\(stray.name)\" still has a value in the variant \(product.variants[index].id)"
                faults.append(
                    pointer(index).map { FieldFault(pointer: $0, detail: detail) }
                        ?? FieldFault(pointer: "/options", detail: kept))
                continue
            }
            let kept = OptionValue.json(ordered)
            product.variants[index].keptOptions = kept
            if let kept, let other = holders.updateValue(index, forKey: kept) {
                let place = pointer(index) ?? pointer(other) ?? "/options"
                faults.append(FieldFault(pointer: place, detail: "another variant has the same values"))
            }
        }
        if !faults.isEmpty { throw InvalidDocument(faults) }
    }
}
