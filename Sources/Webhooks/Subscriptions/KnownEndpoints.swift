import DequeModule
import Kernel

/// What is known of endpoints, and who asks the store anew when. Pure: it is told the time.
///
/// One caller at a time asks for an endpoint. While what is known still holds, the others go on with it, so that a busy
/// endpoint is renewed without anybody waiting for it but the one who asks; and whoever asks takes along others in use
/// that would be asked for soon, so that a thousand busy endpoints cost a few questions a second and not a thousand.
struct KnownEndpoints {
    /// How long a change made elsewhere may go unseen.
    static let moment: Duration = .seconds(2)
    /// The age from which a caller asks anew, while others go on with what is known.
    static let renewalAge: Duration = .seconds(1)
    /// The age from which an endpoint in use is taken along by a question about another.
    static let companionAge: Duration = .milliseconds(500)
    /// Endpoints of one question.
    static let questionMost = 256
    static let entriesMost = 20_000

    struct Key: Hashable, Sendable {
        let id: SubscriptionID
        let tenant: TenantID
    }

    /// What the store says; an endpoint that is not there has no subscription any more, and one whose secrets cannot be
    /// opened is an error of its own.
    typealias Found = [SubscriptionID: Result<Endpoint, any Error>]

    /// A question to the store that is under way: the first key is the one that it was begun for.
    struct Question: Sendable {
        let keys: [Key]
        let asked: Timestamp
        let result = SharedResult<Found>()
    }

    enum Answer {
        /// Nil when there is no such subscription any more.
        case known(Endpoint?)
        /// Somebody is asking; what comes of it is the answer.
        case awaited(Question)
        /// The caller has to ask, and then to `learn` or to `giveUp`.
        case wanted(Question)
    }

    private struct Entry {
        let endpoint: Endpoint?
        let tenant: TenantID
        let asked: Timestamp
        var isInUse = false
    }

    private var entries: [SubscriptionID: Entry] = [:]
    private var questions: [SubscriptionID: Question] = [:]
    /// Ids with the times at which they were asked for, oldest first. What was asked for again since stands twice.
    private var ages: Deque<(id: SubscriptionID, asked: Timestamp)> = []

    mutating func answer(for key: Key, now: Timestamp) -> Answer {
        if let entry = entries[key.id] {
            if !entry.isInUse { entries[key.id]?.isInUse = true }
            let age = now - entry.asked
            if age < Self.renewalAge || age < Self.moment && questions[key.id] != nil { return .known(entry.endpoint) }
        }
        if let question = questions[key.id] { return .awaited(question) }
        let question = Question(keys: [key] + companions(of: key.id, now: now), asked: now)
        for key in question.keys { questions[key.id] = question }
        return .wanted(question)
    }

    /// Keeps what the store said, but for those that were to be forgotten since it was asked.
    mutating func learn(_ found: Found, from question: Question) {
        if entries.count + question.keys.count > Self.entriesMost {
            entries.removeAll()
            ages.removeAll()
        }
        for key in end(question) {
            let endpoint: Endpoint?
            switch found[key.id] {
            case .success(let found): endpoint = found
            case .failure: continue
            case nil: endpoint = nil
            }
            entries[key.id] = Entry(endpoint: endpoint, tenant: key.tenant, asked: question.asked)
            ages.append((key.id, question.asked))
        }
    }

    /// The store could not be asked. Returns what is known and still holds of what was wanted; nil when nothing is.
    mutating func giveUp(_ question: Question, now: Timestamp) -> Found? {
        _ = end(question)
        let id = question.keys[0].id
        guard let entry = entries[id], now - entry.asked < Self.moment else { return nil }
        return entry.endpoint.map { [id: .success($0)] } ?? [:]
    }

    /// Whoever comes now asks anew; a question that is under way may have been answered before the change.
    mutating func forget(_ id: SubscriptionID) {
        entries[id] = nil
        questions[id] = nil
    }

    mutating func forgetAll() {
        entries.removeAll()
        questions.removeAll()
        ages.removeAll()
    }

    /// The keys that this question is still the one for.
    private mutating func end(_ question: Question) -> [Key] {
        let current = question.keys.filter { questions[$0.id]?.result === question.result }
        for key in current { questions[key.id] = nil }
        return current
    }

    /// Goes through each age once, so that a question costs no more than it asks for.
    private mutating func companions(of id: SubscriptionID, now: Timestamp) -> [Key] {
        var keys: [Key] = []
        while keys.count + 1 < Self.questionMost, let oldest = ages.first, now - oldest.asked >= Self.companionAge {
            ages.removeFirst()
            guard oldest.id != id, questions[oldest.id] == nil, let entry = entries[oldest.id],
                entry.asked == oldest.asked, entry.isInUse, entry.endpoint != nil
            else { continue }
            keys.append(Key(id: oldest.id, tenant: entry.tenant))
        }
        return keys
    }
}
