import Kernel
import Storage

extension CollectionRule {
    package init(_ fields: FieldReader) {
        match = fields.choice("match") ?? .all
        conditions = fields.objects("conditions", upTo: Limits.collectionConditions) { Condition($0) } ?? []
        if conditions.isEmpty { fields.fault("conditions", "must have at least one element") }
    }

    /// The form in which rules are kept and answered.
    package func write(_ writer: inout JSONWriter) {
        writer.field("match", match.rawValue)
        writer.arrayField("conditions") { writer in
            for condition in conditions { writer.object { writer in condition.write(&writer) } }
        }
    }

    var kept: [UInt8] { JSONWriter.object { writer in write(&writer) } }

    init(kept bytes: [UInt8]) throws {
        do { self = try FieldReader.read(JSONValue(parsing: bytes)) { CollectionRule($0) } } catch {
            throw StorageError(.corrupt, "a collection's rule: \(error)")
        }
    }
}

extension CollectionRule.Condition {
    fileprivate init(_ fields: FieldReader) {
        field = fields.choice("field") ?? .title
        if fields.value("field") == nil { fields.fault("field", "is required") }
        relation = fields.choice("relation") ?? .equals
        let attribute = fields.string("name", upTo: 100)
        name = field == .attribute ? attribute : nil
        if field == .attribute, attribute == nil { fields.fault("name", "is required for an attribute") }
        if field != .attribute, attribute != nil { fields.fault("name", "is for attributes") }
        if !field.relations.contains(relation) {
            let names = field.relations.map(\.rawValue).joined(separator: ", ")
            fields.fault("relation", "must be one of \(names) for a \(field.rawValue)")
        }
        let currency = fields.currency("currency")
        if field == .price {
            if fields.value("currency") == nil { fields.fault("currency", "is required for a price") }
            if fields.value("value") == nil { fields.fault("value", "is required") }
            money = currency.flatMap { fields.money("value", in: $0) }
            value = ""
        } else {
            if currency != nil { fields.fault("currency", "is for prices") }
            money = nil
            value = fields.requiredString("value", upTo: 1000)
            if field == .place, !value.isEmpty, CategoryID(value) == nil { fields.fault("value", "must be a UUID") }
            if field == .status, !value.isEmpty, Product.Status(rawValue: value) == nil {
                let names = Product.Status.allCases.map(\.rawValue).joined(separator: ", ")
                fields.fault("value", "must be one of \(names)")
            }
        }
    }

    fileprivate func write(_ writer: inout JSONWriter) {
        writer.field("field", field.rawValue)
        if let name { writer.field("name", name) }
        writer.field("relation", relation.rawValue)
        if let money {
            writer.field("value", money)
            writer.field("currency", money.currency.code)
        } else {
            writer.field("value", value)
        }
    }
}

extension CollectionRule.Condition.Field {
    /// What can be asked of a field.
    fileprivate var relations: [CollectionRule.Condition.Relation] {
        switch self {
        case .title, .brand, .category, .tag, .attribute: [.equals, .differs, .contains, .startsWith]
        case .place, .status: [.equals, .differs]
        case .price: [.equals, .differs, .above, .below]
        }
    }
}
