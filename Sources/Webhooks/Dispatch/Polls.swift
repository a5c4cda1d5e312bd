import Kernel

/// How far a dispatcher's looks at the store have come, and whether the next is worth making at once.
///
/// A pure state machine. Each look goes through a part of the endpoints that have a backlog; who has just started goes
/// through all of them without a pause, since it knows of none.
struct Polls {
    private(set) var count = 0
    /// Behind which endpoint the next look begins.
    private(set) var last = SubscriptionID.zero
    private(set) var isMore = false
    private var hasSeenAll = false

    /// A store that can't be asked is not asked again without a pause.
    mutating func begin() { isMore = false }

    /// - Parameter most: endpoints of one look.
    mutating func looked(at backlogs: [SubscriptionID], most: Int) {
        count += 1
        let isLast = backlogs.count < most
        if isLast { hasSeenAll = true }
        last = isLast ? .zero : backlogs.last ?? .zero
    }

    /// A full batch means that more is due.
    mutating func end(claimed: Int, most: Int) { isMore = claimed >= most || !hasSeenAll }
}
