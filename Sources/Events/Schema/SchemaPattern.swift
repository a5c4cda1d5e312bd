/// A regular expression whose matching takes time in proportion to the text, whatever it is.
///
/// It is the part of ECMA-262 that needs no memory of what was read: texts, classes, groups, choices, repetitions and
/// the two ends. Back references, look-around and word borders are refused. It runs as a set of states that all advance
/// by one character together, never by trying one way after another.
struct SchemaPattern: Sendable {
    /// States of one pattern: a few hundred characters with their counted repetitions.
    static let statesMost = 1000

    enum State: Sendable {
        case character(CharacterSet, next: Int)
        case either(Int, Int)
        case start(next: Int)
        case end(next: Int)
        case found
    }

    let text: String
    private let states: [State]
    private let first: Int

    init(_ text: String) throws(SchemaPatternError) {
        var parser = SchemaPatternParser(text)
        let tree = try parser.parse()
        var builder = Builder()
        let found = try builder.add(.found)
        first = try builder.build(tree, next: found)
        states = builder.states
        self.text = text
    }

    /// Whether the pattern matches somewhere in the text. Takes what it costs from `steps`, and ends when none is left.
    func matches(_ text: String, steps: inout Int) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var current = Marked(count: states.count)
        var next = Marked(count: states.count)
        for index in 0...scalars.count {
            if open(first, at: index, of: scalars.count, &current) { return true }
            if index == scalars.count { return false }
            steps -= 1 + current.members.count
            if steps < 0 { return false }
            next.clear()
            for state in current.members {
                guard case .character(let set, let target) = states[state], set.contains(scalars[index]) else {
                    continue
                }
                if open(target, at: index + 1, of: scalars.count, &next) { return true }
            }
            swap(&current, &next)
        }
        return false
    }

    /// Adds a state and all that can be reached from it without a character; true when that is the end of the pattern.
    private func open(_ start: Int, at index: Int, of count: Int, _ set: inout Marked) -> Bool {
        var waiting = [start]
        while let state = waiting.popLast() {
            guard set.insert(state) else { continue }
            switch states[state] {
            case .found: return true
            case .character: break
            case .either(let a, let b): waiting += [a, b]
            case .start(let next): if index == 0 { waiting.append(next) }
            case .end(let next): if index == count { waiting.append(next) }
            }
        }
        return false
    }

    /// A set of states that is emptied without touching all of its marks.
    private struct Marked {
        private var marks: [Int]
        private var round = 1
        private(set) var members: [Int] = []

        init(count: Int) { marks = Array(repeating: 0, count: count) }

        mutating func insert(_ state: Int) -> Bool {
            if marks[state] == round { return false }
            marks[state] = round
            members.append(state)
            return true
        }

        mutating func clear() {
            round += 1
            members.removeAll(keepingCapacity: true)
        }
    }

    /// Turns a tree into states, from its end to its beginning.
    private struct Builder {
        var states: [State] = []

        mutating func add(_ state: State) throws(SchemaPatternError) -> Int {
            guard states.count < SchemaPattern.statesMost else { throw SchemaPatternError("is too long") }
            states.append(state)
            return states.count - 1
        }

        mutating func build(_ tree: PatternTree, next: Int) throws(SchemaPatternError) -> Int {
            switch tree {
            case .empty: return next
            case .characters(let set): return try add(.character(set, next: next))
            case .start: return try add(.start(next: next))
            case .end: return try add(.end(next: next))
            case .sequence(let parts):
                var at = next
                for part in parts.reversed() { at = try build(part, next: at) }
                return at
            case .choice(let ways):
                var at = try build(ways[ways.count - 1], next: next)
                for way in ways.dropLast().reversed() {
                    let other = try build(way, next: next)
                    at = try add(.either(other, at))
                }
                return at
            case .repeated(let part, let least, let most): return try build(part, least, most, next: next)
            }
        }

        private mutating func build(
            _ part: PatternTree, _ least: Int, _ most: Int?, next: Int
        ) throws(SchemaPatternError) -> Int {
            var at = next
            if let most {
                for _ in least..<most {
                    let inner = try build(part, next: at)
                    at = try add(.either(inner, next))
                }
            } else {
                let loop = try add(.either(next, next))
                states[loop] = .either(try build(part, next: loop), next)
                at = loop
            }
            for _ in 0..<least { at = try build(part, next: at) }
            return at
        }
    }
}

/// Why a pattern is refused, in words that follow its place.
struct SchemaPatternError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What a pattern says, before it becomes states.
indirect enum PatternTree: Sendable {
    case empty
    case characters(CharacterSet)
    case start
    case end
    case sequence([PatternTree])
    case choice([PatternTree])
    /// At least so often, and at most so often; nil is without end.
    case repeated(PatternTree, Int, Int?)
}

/// Some of Unicode's scalars, as sorted ranges that do not touch.
struct CharacterSet: Sendable {
    private let ranges: [ClosedRange<UInt32>]

    init(_ ranges: [ClosedRange<UInt32>]) {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar.value) }
    }

    var inverted: CharacterSet {
        var gaps: [ClosedRange<UInt32>] = []
        var from: UInt32 = 0
        for range in ranges {
            if range.lowerBound > from { gaps.append(from...(range.lowerBound - 1)) }
            from = range.upperBound + 1
        }
        if from <= 0x10FFFF { gaps.append(from...0x10FFFF) }
        return CharacterSet(gaps)
    }

    func union(_ other: CharacterSet) -> CharacterSet { CharacterSet(ranges + other.ranges) }

    static let digits = CharacterSet([48...57])
    static let word = CharacterSet([48...57, 65...90, 95...95, 97...122])
    static let space = CharacterSet([
        0x9...0xD, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])
    /// What a dot stands for: all but the ends of lines.
    static let dot = CharacterSet([0xA...0xA, 0xD...0xD, 0x2028...0x2029]).inverted
}
