/// Reads the text of a pattern, strictly: what ECMA-262 only tolerates, such as a lone brace, is refused.
struct SchemaPatternParser {
    private static let nestingMost = 20
    private static let countMost = 1000

    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var nesting = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func parse() throws(SchemaPatternError) -> PatternTree {
        let tree = try choice()
        if at < scalars.count { throw SchemaPatternError("closes a group that is not open") }
        return tree
    }

    private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        at += 1
        return true
    }

    private mutating func choice() throws(SchemaPatternError) -> PatternTree {
        var ways = [try sequence()]
        while take("|") { ways.append(try sequence()) }
        return ways.count == 1 ? ways[0] : .choice(ways)
    }

    private mutating func sequence() throws(SchemaPatternError) -> PatternTree {
        var parts: [PatternTree] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if take("^") {
                parts.append(.start)
            } else if take("$") {
                parts.append(.end)
            } else {
                parts.append(try repetition(of: atom()))
            }
        }
        return parts.isEmpty ? .empty : .sequence(parts)
    }

    // MARK: Repetition

    private mutating func repetition(of part: PatternTree) throws(SchemaPatternError) -> PatternTree {
        var result = part
        if take("*") {
            result = .repeated(part, 0, nil)
        } else if take("+") {
            result = .repeated(part, 1, nil)
        } else if take("?") {
            result = .repeated(part, 0, 1)
        } else if take("{") {
            let least = try count()
            var most: Int? = least
            if take(",") { most = next == "}" ? nil : try count() }
            guard take("}") else { throw SchemaPatternError("has a brace that is no count of repetitions") }
            if let most, most < least { throw SchemaPatternError("repeats at most fewer times than at least") }
            result = .repeated(part, least, most)
        } else {
            return part
        }
        // A lazy repetition matches the same texts.
        _ = take("?")
        if let scalar = next, ["*", "+", "?", "{"].contains(scalar) {
            throw SchemaPatternError("repeats a repetition")
        }
        return result
    }

    private mutating func count() throws(SchemaPatternError) -> Int {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = (value ?? 0) * 10 + Int(scalar.value - 48)
            at += 1
            if value ?? 0 > Self.countMost { throw SchemaPatternError("repeats more than \(Self.countMost) times") }
        }
        guard let value else { throw SchemaPatternError("has a brace that is no count of repetitions") }
        return value
    }

    // MARK: Atoms

    private mutating func atom() throws(SchemaPatternError) -> PatternTree {
        guard let scalar = next else { return .empty }
        at += 1
        switch scalar {
        case ".": return .characters(.dot)
        case "(": return try group()
        case "[": return .characters(try characterClass())
        case "\\":
            switch try escape() {
            case .one(let scalar): return .characters(CharacterSet(scalar))
            case .many(let set): return .characters(set)
            }
        case "*", "+", "?": throw SchemaPatternError("repeats nothing")
        case "{", "}", "]": throw SchemaPatternError("has a lone \(scalar), which is written with a backslash")
        default: return .characters(CharacterSet(scalar))
        }
    }

    private mutating func group() throws(SchemaPatternError) -> PatternTree {
        if take("?"), !take(":") {
            throw SchemaPatternError("has look-around or a named group, which is not supported: use (…) or (?:…)")
        }
        nesting += 1
        if nesting > Self.nestingMost { throw SchemaPatternError("nests more than \(Self.nestingMost) groups") }
        let tree = try choice()
        guard take(")") else { throw SchemaPatternError("opens a group that is not closed") }
        nesting -= 1
        return tree
    }

    private mutating func characterClass() throws(SchemaPatternError) -> CharacterSet {
        let isInverted = take("^")
        var set = CharacterSet([])
        while !take("]") {
            let from = try classMember()
            guard next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" else {
                set = set.union(from.set)
                continue
            }
            at += 1
            guard case .one(let low) = from, case .one(let high) = try classMember(), low <= high else {
                throw SchemaPatternError("has a range in a class that is none")
            }
            set = set.union(CharacterSet([low.value...high.value]))
        }
        return isInverted ? set.inverted : set
    }

    private mutating func classMember() throws(SchemaPatternError) -> Escaped {
        guard let scalar = next else { throw SchemaPatternError("opens a class that is not closed") }
        at += 1
        return scalar == "\\" ? try escape() : .one(scalar)
    }

    // MARK: Escapes

    private enum Escaped {
        case one(Unicode.Scalar)
        case many(CharacterSet)

        var set: CharacterSet {
            switch self {
            case .one(let scalar): CharacterSet(scalar)
            case .many(let set): set
            }
        }
    }

    private mutating func escape() throws(SchemaPatternError) -> Escaped {
        guard let scalar = next else { throw SchemaPatternError("ends with a backslash") }
        at += 1
        switch scalar {
        case "d": return .many(.digits)
        case "D": return .many(CharacterSet.digits.inverted)
        case "w": return .many(.word)
        case "W": return .many(CharacterSet.word.inverted)
        case "s": return .many(.space)
        case "S": return .many(CharacterSet.space.inverted)
        case "t": return .one("\t")
        case "n": return .one("\n")
        case "r": return .one("\r")
        case "f": return .one("\u{C}")
        case "v": return .one("\u{B}")
        case "x": return .one(try hexadecimal(2))
        case "u": return .one(try hexadecimal(4))
        case "1"..."9", "k": throw SchemaPatternError("has a back reference, which is not supported")
        case "b", "B": throw SchemaPatternError("has a word border, which is not supported")
        case "p", "P": throw SchemaPatternError("has a class of Unicode properties, which is not supported")
        default:
            let isPunctuation = scalar.isASCII && !CharacterSet.word.contains(scalar) && scalar.value > 32
            guard isPunctuation else { throw SchemaPatternError("has the unknown escape \\\(scalar)") }
            return .one(scalar)
        }
    }

    private mutating func hexadecimal(_ digits: Int) throws(SchemaPatternError) -> Unicode.Scalar {
        guard at + digits <= scalars.count,
            let value = UInt32(String(String.UnicodeScalarView(scalars[at..<at + digits])), radix: 16),
            let scalar = Unicode.Scalar(value)
        else { throw SchemaPatternError("has an escape that is no character") }
        at += digits
        return scalar
    }
}
