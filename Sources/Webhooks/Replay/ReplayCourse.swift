import DequeModule
import Events
import Kernel

/// How far one turn of a replay has gone through the feed, and how far it is done with it.
///
/// A pure state machine. Deliveries are sent in the order of the feed and written in whichever order their calls end.
/// Done with is what lies before the first that is not written: from there on a crash goes through the feed once more,
/// and passes over the events that have deliveries already.
struct ReplayCourse {
    private struct Entry {
        let position: Int64
        let delivery: DeliveryID
        var isOver = false
    }

    /// Entries that may be open behind the first that is not written: a single call that hangs lets so many others by.
    static let entriesMost = 65_536

    /// Everything up to here is written, or nobody wanted it.
    private(set) var passed: Int64
    /// Everything up to here is on its way at least.
    private(set) var read: Int64
    /// Events behind `passed` that an earlier turn has written deliveries for.
    private var doubts: Set<EventID>
    /// The furthest event that was passed over. While it lies behind `passed`, its row is one that has to be found.
    private var passedOver = Int64.min
    /// From which delivery on rows may stand for events behind `passed`.
    private(set) var unsureFrom: DeliveryID
    private var entries: Deque<Entry> = []
    /// The number of the first entry, counted from the beginning, and those of deliveries that are on their way.
    private var first = 0
    private var numbers: [DeliveryID: Int] = [:]
    private var hasLost = false
    /// Whether it got on since that was noted last.
    private(set) var hasNews = false

    /// - Parameter unsureFrom: no delivery of this turn may have an earlier id, nor any that `doubts` stand for.
    init(at position: Int64, doubts: Set<EventID> = [], unsureFrom: DeliveryID = .zero) {
        (passed, read) = (position, position)
        self.doubts = doubts
        self.unsureFrom = unsureFrom
    }

    /// Deliveries that are on their way.
    var underWay: some Collection<DeliveryID> { numbers.keys }
    var isEmpty: Bool { numbers.isEmpty }
    /// Whether no row can stand for an event behind `passed`.
    var isSure: Bool { numbers.isEmpty && entries.isEmpty && doubts.isEmpty }
    /// Whether more may be sent: not before what was lost is found again.
    var canGoOn: Bool { !hasLost && entries.count < Self.entriesMost }

    /// Whether an earlier turn has written a delivery for the event that stands next; asked once for each.
    mutating func passesOver(_ event: EventID, at position: Int64) -> Bool {
        guard doubts.remove(event) != nil else { return false }
        passedOver = position
        return true
    }

    /// A delivery is about to be sent, for the event at that position.
    mutating func send(_ delivery: DeliveryID, at position: Int64) {
        numbers[delivery] = first + entries.count
        entries.append(Entry(position: position, delivery: delivery))
        read = position
    }

    /// Nothing more is wanted up to that position.
    mutating func goThrough(to position: Int64) {
        read = max(read, position)
        settle()
    }

    /// A delivery is written.
    mutating func end(_ delivery: DeliveryID) {
        guard let number = numbers.removeValue(forKey: delivery) else { return }
        entries[number - first].isOver = true
        settle()
    }

    /// A delivery was dropped before it was sent or written.
    mutating func lose(_ delivery: DeliveryID) {
        if numbers.removeValue(forKey: delivery) != nil { hasLost = true }
    }

    /// Whether it has to go back, which it can as soon as nothing is on its way.
    var hasToGoBack: Bool { hasLost && numbers.isEmpty }

    /// Goes through the feed again, from the first that was lost on.
    ///
    /// - Parameter written: the events of all deliveries from `unsureFrom` on.
    mutating func goBack(passingOver written: Set<EventID>) {
        self = ReplayCourse(at: passed, doubts: written, unsureFrom: unsureFrom)
    }

    /// How far it is has been written down.
    mutating func note() { hasNews = false }

    private mutating func settle() {
        let before = passed
        while let next = entries.first, next.isOver {
            passed = next.position
            entries.removeFirst()
            first += 1
        }
        if entries.isEmpty { passed = read }
        if passed > before { hasNews = true }
        // Rows of an earlier turn, whose ids are less, may stand for what is not done with: until all of it is passed
        // over and done with, the next turn has to ask for them.
        if !doubts.isEmpty || passedOver > passed { return }
        if let next = entries.first { unsureFrom = next.delivery }
    }
}
