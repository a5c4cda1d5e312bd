import Events
import Kernel

/// A day of UTC, by which PostgreSQL's widest tables are cut: ids carry their time, so a day is a range of ids.
struct Day: Hashable, Comparable {
    /// Days since 1970.
    let number: Int64

    init(number: Int64) { self.number = number }

    /// The day that an instant falls on.
    init(_ time: Timestamp) {
        let milliseconds = time.milliseconds
        number = (milliseconds - (milliseconds < 0 ? 86_399_999 : 0)) / 86_400_000
    }

    /// Reads what `name` writes, such as `20250131`.
    init?(name: some StringProtocol) {
        guard name.utf8.count == 8 else { return nil }
        let (year, month, day) = (name.prefix(4), name.dropFirst(4).prefix(2), name.suffix(2))
        guard let time = Timestamp("\(year)-\(month)-\(day)T00:00:00Z") else { return nil }
        self.init(time)
    }

    static func < (a: Day, b: Day) -> Bool { a.number < b.number }
    static func + (day: Day, count: Int) -> Day { Day(number: day.number + Int64(count)) }

    var start: Timestamp { Timestamp(milliseconds: number * 86_400_000) }
    var name: String { start.description.prefix(10).filter { $0 != "-" } }
    /// The lowest id that can be made on this day or later.
    var firstID: EventID { EventID(from: start) }
}

extension ID {
    /// The lowest UUIDv7 that can be made at an instant or later.
    package init(from time: Timestamp) {
        self.init(high: UInt64(max(0, time.milliseconds)) << 16, low: 0)
    }
}
