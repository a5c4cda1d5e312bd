import Kernel

/// What a level must not fall below when somebody asks for a move. It binds only tenants that allocate `HARD`, and only
/// moves that lower the number: what has happened already (an import, goods that have left) is never refused.
enum Floor: Sendable {
    case none
    /// A count of pieces can't be negative. It may fall below what is promised: a loss is a fact, and then shows.
    case onHand
    /// What is promised to somebody is not there to be promised again, nor to be carried off.
    case available
}

/// The levels of one transaction in memory. Pure: it says which moves are allowed, one after the other.
struct Shelf {
    /// Why a move is not allowed.
    struct Shortage: Error, Equatable {
        let key: LevelKey
        let before: Balance
        let floor: Floor
    }

    private(set) var levels: [LevelKey: Balance]

    init(_ levels: [LevelKey: Balance]) { self.levels = levels }

    subscript(key: LevelKey) -> Balance { levels[key] ?? Balance() }

    /// Makes a move, or says what it lacks and leaves everything as it was.
    mutating func make(_ delta: Balance, at key: LevelKey, floor: Floor) throws(Shortage) {
        let before = self[key]
        let after = before + delta
        let isShort =
            switch floor {
            case .none: false
            case .onHand: delta.onHand < 0 && after.onHand < 0
            case .available: delta.available < 0 && after.available < 0
            }
        if isShort { throw Shortage(key: key, before: before, floor: floor) }
        levels[key] = after
    }
}
