import Kernel

/// One check of a value: counts its steps, and collects faults with their pointers.
struct SchemaEvaluation {
    private let nodes: [SchemaNode]
    private var path: [String]
    private var faults: [FieldFault] = []
    private var steps = JSONSchema.stepsMost
    private var depth = 0
    private var isExhausted = false
    /// Above zero inside of `anyOf` and the like, where a fault is a way that was not taken.
    private var silence = 0

    init(nodes: [SchemaNode], path: [String]) {
        self.nodes = nodes
        self.path = path
    }

    mutating func faults(in value: JSONValue) -> [FieldFault] {
        let start = path
        let isValid = accepts(0, value)
        if isExhausted {
            return [FieldFault(pointer: JSONSchema.pointer(start), detail: "takes too many steps to check")]
        }
        precondition(isValid == faults.isEmpty, "what is refused has a fault, and what is accepted has none")
        return faults
    }

    /// Whether one schema accepts one value. While silent it ends at the first fault.
    private mutating func accepts(_ node: Int, _ value: JSONValue) -> Bool {
        depth += 1
        defer { depth -= 1 }
        spend(1)
        if depth > JSONSchema.depthMost { isExhausted = true }
        var isValid = true
        for rule in nodes[node].rules {
            if isExhausted || (!isValid && (silence > 0 || faults.count >= JSONSchema.faultsMost)) { return false }
            if !accepts(rule, value) { isValid = false }
        }
        return isValid
    }

    private mutating func accepts(_ rule: SchemaRule, _ value: JSONValue) -> Bool {
        switch rule {
        case .nothing: return refuse("may not be there")
        case .types(let types):
            if types.contains(where: { $0.includes(value) }) { return true }
            return refuse("must be \(types.map(\.rawValue).joined(separator: " or ")), not \(value.kind)")
        case .values(let values, let shown):
            spend(1 + weight(of: value))
            return isExhausted || values.contains(value.canonicalBytes) ? true : refuse("must be one of \(shown)")
        case .number(let rule): return accepts(rule, value)
        case .text(let rule): return accepts(rule, value)
        case .array(let rule): return accepts(rule, value)
        case .object(let rule): return accepts(rule, value)
        case .reference(let node): return accepts(node, value)
        case .all(let nodes): return all(nodes, value)
        case .any(let nodes):
            return silently { check in nodes.contains { check.accepts($0, value) } }
                ? true : refuse("fits none of the \(nodes.count) forms of anyOf")
        case .one(let nodes):
            let count = silently { check in nodes.count { check.accepts($0, value) } }
            return count == 1 ? true : refuse("fits \(count) of the \(nodes.count) forms of oneOf, and must fit one")
        case .not(let node):
            return silently { check in check.accepts(node, value) } ? refuse("has the form that not forbids") : true
        case .when(let condition, let then, let otherwise):
            let branch = silently { check in check.accepts(condition, value) } ? then : otherwise
            return branch.map { accepts($0, value) } ?? true
        }
    }

    private mutating func all(_ nodes: [Int], _ value: JSONValue) -> Bool {
        var isValid = true
        for node in nodes where !accepts(node, value) {
            isValid = false
            if silence > 0 { break }
        }
        return isValid
    }

    // MARK: Steps and faults

    private mutating func spend(_ cost: Int) {
        steps -= cost
        if steps < 0 { isExhausted = true }
    }

    /// How much there is to write and compare in a value, roughly.
    private func weight(of value: JSONValue) -> Int {
        switch value {
        case .array(let items): items.reduce(1) { $0 + weight(of: $1) }
        case .object(let object): object.members.reduce(1) { $0 + 1 + weight(of: $1.value) }
        case .string(let text), .number(let text): 1 + text.utf8.count / 16
        default: 1
        }
    }

    private mutating func silently<T>(_ body: (inout SchemaEvaluation) -> T) -> T {
        silence += 1
        defer { silence -= 1 }
        return body(&self)
    }

    private mutating func refuse(_ detail: String) -> Bool {
        if silence == 0, faults.count < JSONSchema.faultsMost {
            faults.append(FieldFault(pointer: JSONSchema.pointer(path), detail: detail))
        }
        return false
    }

    private mutating func inside(_ name: String, _ body: (inout SchemaEvaluation) -> Bool) -> Bool {
        path.append(name)
        defer { path.removeLast() }
        return body(&self)
    }

    // MARK: Numbers and texts

    private mutating func accepts(_ rule: NumberRule, _ value: JSONValue) -> Bool {
        guard case .number(let text) = value else { return true }
        spend(text.utf8.count / 16)
        guard let number = DecimalDigits(text) else { return refuse("has more digits than can be compared") }
        var isValid = true
        if let bound = rule.minimum, number < bound.value { isValid = refuse("must be at least \(bound.text)") }
        if let bound = rule.exclusiveMinimum, number <= bound.value { isValid = refuse("must be above \(bound.text)") }
        if let bound = rule.maximum, number > bound.value { isValid = refuse("must be at most \(bound.text)") }
        if let bound = rule.exclusiveMaximum, number >= bound.value { isValid = refuse("must be below \(bound.text)") }
        if let bound = rule.multipleOf, !number.isMultiple(of: bound.value) {
            isValid = refuse("must be a multiple of \(bound.text)")
        }
        return isValid
    }

    private mutating func accepts(_ rule: TextRule, _ value: JSONValue) -> Bool {
        guard case .string(let text) = value else { return true }
        spend(text.utf8.count / 16)
        var isValid = true
        if rule.minimum != nil || rule.maximum != nil {
            let count = text.unicodeScalars.count
            if let minimum = rule.minimum, count < minimum {
                isValid = refuse("must have at least \(minimum) characters")
            }
            if let maximum = rule.maximum, count > maximum {
                isValid = refuse("must have at most \(maximum) characters")
            }
        }
        if let pattern = rule.pattern, !matches(pattern, text) {
            isValid = refuse("does not match the pattern \(pattern.text.prefix(80))")
        }
        if let format = rule.format, !format.includes(text) { isValid = refuse("is no \(format.rawValue)") }
        return isValid
    }

    private mutating func matches(_ pattern: SchemaPattern, _ text: String) -> Bool {
        var left = steps
        let result = pattern.matches(text, steps: &left)
        spend(steps - left)
        return result
    }

    // MARK: Arrays

    private mutating func accepts(_ rule: ArrayRule, _ value: JSONValue) -> Bool {
        guard case .array(let items) = value else { return true }
        var isValid = true
        if let minimum = rule.minimum, items.count < minimum {
            isValid = refuse("must have at least \(minimum) elements")
        }
        if let maximum = rule.maximum, items.count > maximum {
            isValid = refuse("must have at most \(maximum) elements")
        }
        if rule.isUnique, !areUnique(items) { isValid = refuse("must not hold the same value twice") }
        for (index, item) in items.enumerated() {
            if isExhausted || (!isValid && silence > 0) { return isValid }
            guard let node = index < rule.first.count ? rule.first[index] : rule.rest else { break }
            if !inside(String(index), { $0.accepts(node, item) }) { isValid = false }
        }
        if let contained = rule.contained {
            let count = silently { check in items.count { check.accepts(contained, $0) } }
            if count < rule.containedMinimum || count > rule.containedMaximum ?? .max {
                isValid = refuse("holds \(count) elements of the form of contains, which are too few or too many")
            }
        }
        return isValid
    }

    private mutating func areUnique(_ items: [JSONValue]) -> Bool {
        var seen: Set<[UInt8]> = []
        for item in items {
            spend(1 + weight(of: item))
            if isExhausted { return true }
            if !seen.insert(item.canonicalBytes).inserted { return false }
        }
        return true
    }

    // MARK: Objects

    private mutating func accepts(_ rule: ObjectRule, _ value: JSONValue) -> Bool {
        guard case .object(let object) = value else { return true }
        var isValid = true
        if let minimum = rule.minimum, object.members.count < minimum {
            isValid = refuse("must have at least \(minimum) members")
        }
        if let maximum = rule.maximum, object.members.count > maximum {
            isValid = refuse("must have at most \(maximum) members")
        }
        spend(object.members.count + rule.required.count + rule.dependencies.count)
        let names = Set(object.members.map { Array($0.name.utf8) })
        if !has(rule.required, among: names) { isValid = false }
        for dependency in rule.dependencies where names.contains(dependency.name) {
            if !has(dependency.required, among: names) { isValid = false }
        }
        for dependent in rule.dependentSchemas where names.contains(dependent.name) {
            if !accepts(dependent.node, value) { isValid = false }
        }
        for member in object.members {
            if isExhausted || (!isValid && silence > 0) { return isValid }
            if !accepts(member, rule) { isValid = false }
        }
        return isValid
    }

    private mutating func has(_ required: [String], among names: Set<[UInt8]>) -> Bool {
        var isValid = true
        for name in required where !names.contains(Array(name.utf8)) {
            isValid = inside(name) { $0.refuse("is required") }
        }
        return isValid
    }

    private mutating func accepts(_ member: JSONObject.Member, _ rule: ObjectRule) -> Bool {
        var isValid = true
        var isSpokenOf = false
        path.append(member.name)
        defer { path.removeLast() }
        if let names = rule.names, !silently({ $0.accepts(names, .string(member.name)) }) {
            isValid = refuse("has a name that is not allowed")
        }
        if let node = rule.properties[Array(member.name.utf8)] {
            isSpokenOf = true
            if !accepts(node, member.value) { isValid = false }
        }
        for (pattern, node) in rule.patterns where matches(pattern, member.name) {
            isSpokenOf = true
            if !accepts(node, member.value) { isValid = false }
        }
        if !isSpokenOf, let additional = rule.additional {
            if nodes[additional].rules.count == 1, case .nothing = nodes[additional].rules[0] {
                return refuse("is not a field of this event")
            }
            if !accepts(additional, member.value) { isValid = false }
        }
        return isValid
    }
}
