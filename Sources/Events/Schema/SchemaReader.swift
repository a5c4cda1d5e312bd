import Kernel

/// Reads the keywords of one schema object into rules.
struct SchemaReader {
    let path: [String]
    let isRoot: Bool
    private(set) var rules: [SchemaRule] = []
    private var number: NumberRule?
    private var text: TextRule?
    private var array: ArrayRule?
    private var object: ObjectRule?

    init(path: [String], isRoot: Bool) {
        self.path = path
        self.isRoot = isRoot
    }

    mutating func read(_ schema: JSONObject, with compiler: inout SchemaCompiler) {
        for member in schema.members {
            let isKnown =
                readAnnotation(member, &compiler) || readValue(member, &compiler) || readNumber(member, &compiler)
                || readText(member, &compiler) || readArray(member, &compiler) || readObject(member, &compiler)
                || readCombination(member, schema, &compiler)
            if !isKnown {
                compiler.fault(path + [member.name], "is no keyword that is supported here")
            }
        }
        if array?.containedMinimum != 1 || array?.containedMaximum != nil, array != nil, array?.contained == nil {
            compiler.fault(path, "minContains and maxContains need contains beside them")
        }
        if let number { rules.append(.number(number)) }
        if let text { rules.append(.text(text)) }
        if let array { rules.append(.array(array)) }
        if let object { rules.append(.object(object)) }
    }

    // MARK: Words for people

    private func readAnnotation(_ member: JSONObject.Member, _ compiler: inout SchemaCompiler) -> Bool {
        let place = path + [member.name]
        switch member.name {
        case "title", "description", "$comment":
            if member.value.string == nil { compiler.fault(place, "must be a text, not \(member.value.kind)") }
        case "deprecated", "readOnly", "writeOnly":
            if member.value.bool == nil { compiler.fault(place, "must be true or false") }
        case "examples":
            if member.value.array == nil { compiler.fault(place, "must be an array, not \(member.value.kind)") }
        case "default": break
        case "$schema":
            if !isRoot { compiler.fault(place, "stands only at the root") }
            let known = [
                "https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#",
            ]
            if !known.contains(member.value.string ?? "") { compiler.fault(place, "must be \(known[0])") }
        case "$id":
            if !isRoot { compiler.fault(place, "stands only at the root") }
            if member.value.string == nil { compiler.fault(place, "must be a text, not \(member.value.kind)") }
        case "$defs":
            if !isRoot { compiler.fault(place, "stands only at the root") }
        case "x-privacy": readPrivacy(member.value, place, &compiler)
        default: return false
        }
        return true
    }

    /// A part of a list or of an object can't be withheld on its own, so a class stands on the root's properties only.
    private func readPrivacy(_ value: JSONValue, _ place: [String], _ compiler: inout SchemaCompiler) {
        let classes = Privacy.allCases.map(\.rawValue)
        if !classes.contains(value.string ?? "") {
            compiler.fault(place, "must be one of \(classes.joined(separator: ", "))")
        }
        if !compiler.isProperty(ofRoot: path) {
            compiler.fault(place, "stands only on the properties of the root: what they hold shares their class")
        }
    }

    // MARK: Any value

    private mutating func readValue(_ member: JSONObject.Member, _ compiler: inout SchemaCompiler) -> Bool {
        let place = path + [member.name]
        switch member.name {
        case "type":
            let names = member.value.array ?? [member.value]
            let types = names.compactMap { SchemaType(rawValue: $0.string ?? "") }
            if types.count != names.count || Set(types).count != types.count || types.isEmpty {
                let all = SchemaType.allCases.map(\.rawValue).joined(separator: ", ")
                compiler.fault(place, "must be one of \(all), or a list of different ones")
            }
            rules.append(.types(types))
        case "enum":
            guard let values = member.value.array, !values.isEmpty else {
                compiler.fault(place, "must be a list of at least one value")
                return true
            }
            rules.append(.values(Set(values.map(\.canonicalBytes)), shown: Self.shown(values)))
        case "const": rules.append(.values([member.value.canonicalBytes], shown: Self.shown([member.value])))
        default: return false
        }
        return true
    }

    private static func shown(_ values: [JSONValue]) -> String {
        let texts = values.prefix(10).map { value in
            let text = String(decoding: JSONWriter.bytes(of: value), as: UTF8.self)
            return text.count > 60 ? text.prefix(60) + "…" : text
        }
        return texts.joined(separator: ", ") + (values.count > 10 ? " and \(values.count - 10) more" : "")
    }

    // MARK: Numbers and texts

    private mutating func readNumber(_ member: JSONObject.Member, _ compiler: inout SchemaCompiler) -> Bool {
        let names = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"]
        guard names.contains(member.name) else { return false }
        let place = path + [member.name]
        var rule = number ?? NumberRule()
        guard case .number(let digits) = member.value, let value = DecimalDigits(digits) else {
            compiler.fault(place, "must be a number of up to 400 digits")
            return true
        }
        let bound = NumberRule.Bound(value: value, text: digits)
        switch member.name {
        case "minimum": rule.minimum = bound
        case "exclusiveMinimum": rule.exclusiveMinimum = bound
        case "maximum": rule.maximum = bound
        case "exclusiveMaximum": rule.exclusiveMaximum = bound
        default:
            guard value.isPositive, value.significantDigits <= DecimalDigits.divisorDigits else {
                compiler.fault(place, "must be above zero, with at most \(DecimalDigits.divisorDigits) digits")
                return true
            }
            rule.multipleOf = bound
        }
        number = rule
        return true
    }

    private mutating func readText(_ member: JSONObject.Member, _ compiler: inout SchemaCompiler) -> Bool {
        let place = path + [member.name]
        var rule = text ?? TextRule()
        switch member.name {
        case "minLength": rule.minimum = count(member.value, place, &compiler)
        case "maxLength": rule.maximum = count(member.value, place, &compiler)
        case "pattern": rule.pattern = pattern(member.value.string, place, &compiler)
        case "format":
            rule.format = SchemaFormat(rawValue: member.value.string ?? "")
            if rule.format == nil {
                let known = SchemaFormat.allCases.map(\.rawValue).joined(separator: ", ")
                compiler.fault(place, "is no format that is checked here: \(known)")
            }
        default: return false
        }
        text = rule
        return true
    }

    private func pattern(_ text: String?, _ place: [String], _ compiler: inout SchemaCompiler) -> SchemaPattern? {
        guard let text else {
            compiler.fault(place, "must be a text")
            return nil
        }
        do throws(SchemaPatternError) { return try SchemaPattern(text) } catch {
            compiler.fault(place, error.description)
            return nil
        }
    }

    private func count(_ value: JSONValue, _ place: [String], _ compiler: inout SchemaCompiler) -> Int? {
        guard case .number = value, let number = value.integer, (0...Int64(Int32.max)).contains(number) else {
            compiler.fault(place, "must be a whole number from 0 to \(Int32.max)")
            return nil
        }
        return Int(number)
    }

    // MARK: Arrays

    private mutating func readArray(_ member: JSONObject.Member, _ compiler: inout SchemaCompiler) -> Bool {
        let place = path + [member.name]
        var rule = array ?? ArrayRule()
        switch member.name {
        case "minItems": rule.minimum = count(member.value, place, &compiler)
        case "maxItems": rule.maximum = count(member.value, place, &compiler)
        case "uniqueItems":
            if member.value.bool == nil { compiler.fault(place, "must be true or false") }
            rule.isUnique = member.value.bool ?? false
        case "prefixItems": rule.first = schemas(member.value, place, &compiler)
        case "items": rule.rest = compiler.schema(member.value, at: place)
        case "contains": rule.contained = compiler.schema(member.value, at: place)
        case "minContains": rule.containedMinimum = count(member.value, place, &compiler) ?? 1
        case "maxContains": rule.containedMaximum = count(member.value, place, &compiler)
        default: return false
        }
        array = rule
        return true
    }

    private func schemas(_ value: JSONValue, _ place: [String], _ compiler: inout SchemaCompiler) -> [Int] {
        guard let items = value.array, !items.isEmpty else {
            compiler.fault(place, "must be a list of at least one schema")
            return []
        }
        return items.enumerated().map { compiler.schema($1, at: place + [String($0)]) }
    }

    // MARK: Objects

    private mutating func readObject(_ member: JSONObject.Member, _ compiler: inout SchemaCompiler) -> Bool {
        let place = path + [member.name]
        var rule = object ?? ObjectRule()
        switch member.name {
        case "minProperties": rule.minimum = count(member.value, place, &compiler)
        case "maxProperties": rule.maximum = count(member.value, place, &compiler)
        case "required": rule.required = names(member.value, place, &compiler)
        case "properties":
            for property in members(member.value, place, &compiler) {
                let node = compiler.schema(property.value, at: place + [property.name])
                rule.properties[Array(property.name.utf8)] = node
            }
        case "patternProperties":
            for property in members(member.value, place, &compiler) {
                let node = compiler.schema(property.value, at: place + [property.name])
                if let pattern = pattern(property.name, place + [property.name], &compiler) {
                    rule.patterns.append((pattern, node))
                }
            }
        case "additionalProperties": rule.additional = compiler.schema(member.value, at: place)
        case "propertyNames": rule.names = compiler.schema(member.value, at: place)
        case "dependentRequired":
            rule.dependencies = members(member.value, place, &compiler).map { property in
                ObjectRule.Dependency(
                    name: Array(property.name.utf8),
                    required: names(property.value, place + [property.name], &compiler))
            }
        case "dependentSchemas":
            rule.dependentSchemas = members(member.value, place, &compiler).map { property in
                ObjectRule.DependentSchema(
                    name: Array(property.name.utf8),
                    node: compiler.schema(property.value, at: place + [property.name]))
            }
        default: return false
        }
        object = rule
        return true
    }

    private func members(
        _ value: JSONValue, _ place: [String], _ compiler: inout SchemaCompiler
    ) -> [JSONObject.Member] {
        if value.object == nil { compiler.fault(place, "must be an object, not \(value.kind)") }
        return value.object?.members ?? []
    }

    private func names(_ value: JSONValue, _ place: [String], _ compiler: inout SchemaCompiler) -> [String] {
        let texts = value.array?.compactMap(\.string) ?? []
        if texts.count != value.array?.count || Set(texts.map { Array($0.utf8) }).count != texts.count {
            compiler.fault(place, "must be a list of different names")
        }
        return texts
    }

    // MARK: Combinations

    private mutating func readCombination(
        _ member: JSONObject.Member, _ schema: JSONObject, _ compiler: inout SchemaCompiler
    ) -> Bool {
        let place = path + [member.name]
        switch member.name {
        case "allOf": rules.append(.all(schemas(member.value, place, &compiler)))
        case "anyOf": rules.append(.any(schemas(member.value, place, &compiler)))
        case "oneOf": rules.append(.one(schemas(member.value, place, &compiler)))
        case "not": rules.append(.not(compiler.schema(member.value, at: place)))
        case "if":
            let then = schema["then"].map { compiler.schema($0, at: path + ["then"]) }
            let otherwise = schema["else"].map { compiler.schema($0, at: path + ["else"]) }
            rules.append(.when(compiler.schema(member.value, at: place), then: then, otherwise: otherwise))
        case "then", "else":
            // Read with `if`; alone it would mean nothing, and nothing is passed over.
            if schema["if"] == nil { compiler.fault(place, "needs if beside it") }
        case "$ref":
            if let node = compiler.target(of: member.value, at: place) { rules.append(.reference(node)) }
        default: return false
        }
        return true
    }
}
