/// Which partitions a table has, and which it should: one for all that is past, one a day, one for all that lies ahead.
///
/// Together they cover every id there can be, so that no insert is ever refused for want of a partition, be a clock
/// wrong or the server have been off for a month. None of them is a DEFAULT partition, which would have to be searched
/// under a lock each time that a day is added.
struct PartitionPlan: Equatable {
    /// Days that exist before they are needed.
    static let daysAhead = 7

    /// First days of the partitions between past and ahead, in order. Each reaches to the next; the last is one day.
    /// None: the past still covers everything.
    let starts: [Day]

    init(_ starts: [Day]) { self.starts = starts.sorted() }

    /// Where the partition of what lies ahead begins.
    var aheadStart: Day? { starts.last.map { $0 + 1 } }

    /// First days of the partitions that are missing, in order. Days that went by while nobody added any become one.
    func missing(today: Day) -> [Day] {
        let last = today + Self.daysAhead
        // What is there already stays with the past: it is cut off at the next day, where nothing is yet.
        guard let next = aheadStart else { return (1...Self.daysAhead).map { today + $0 } }
        if next > last { return [] }
        let first = max(next + 1, today)
        return [next] + (first > last ? [] : (first.number...last.number).map { Day(number: $0) })
    }

    /// Days of which every row is older than `bound`. The newest day always stays.
    func expired(before bound: Day) -> [Day] {
        zip(starts, starts.dropFirst()).filter { $0.1 <= bound }.map(\.0)
    }

    /// Where a partition ends: at the next one's beginning, or a day later.
    func end(of start: Day) -> Day { starts.first { $0 > start } ?? start + 1 }
}
