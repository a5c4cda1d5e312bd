import Events
import Kernel
import Signing
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("What is known of endpoints")
struct KnownEndpointsTests {
    private typealias Question = KnownEndpoints.Question

    private static let begin = Timestamp(milliseconds: 1_700_000_000_000)

    private static func key(_ number: UInt64) -> KnownEndpoints.Key {
        KnownEndpoints.Key(id: ID(high: 5, low: number), tenant: Hub.scope.tenant)
    }

    private static func endpoint(_ url: String = "https://shop.example.com/in") throws -> Endpoint {
        let profile = try #require(ProfileCatalog.profile(named: "standard"))
        return Endpoint(
            url: url, headers: [], profile: profile, payloadMode: .full, keys: [], isActive: true,
            schedule: profile.schedule(under: TenantSettings()), rateLimit: nil, maxInFlight: nil, isOrdered: false,
            settings: TenantSettings())
    }

    private static func wanted(
        _ known: inout KnownEndpoints, _ number: UInt64, after age: Duration = .zero
    ) throws -> Question {
        guard case .wanted(let question) = known.answer(for: key(number), now: begin + age) else {
            throw TestFailure("nobody has to ask for \(number) after \(age)")
        }
        return question
    }

    private static func isKnown(_ known: inout KnownEndpoints, _ number: UInt64, after age: Duration) -> Bool {
        if case .known = known.answer(for: key(number), now: begin + age) { true } else { false }
    }

    private static func awaited(_ known: inout KnownEndpoints, _ number: UInt64, after age: Duration) -> Question? {
        if case .awaited(let question) = known.answer(for: key(number), now: begin + age) { question } else { nil }
    }

    /// Asks for endpoints that all exist, one question each.
    private static func learn(_ known: inout KnownEndpoints, _ numbers: ClosedRange<UInt64>) throws {
        for number in numbers {
            let question = try wanted(&known, number)
            known.learn([key(number).id: .success(try endpoint())], from: question)
        }
    }

    /// Has endpoints that are known taken once more.
    private static func use(_ known: inout KnownEndpoints, _ numbers: ClosedRange<UInt64>) {
        for number in numbers { _ = isKnown(&known, number, after: .milliseconds(1)) }
    }

    private struct TestFailure: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    @Test("Of many who come at once one asks, and the others wait for it")
    func oneAsks() throws {
        var known = KnownEndpoints()
        let question = try Self.wanted(&known, 1)
        #expect(Self.awaited(&known, 1, after: .seconds(1))?.result === question.result)
        known.learn([Self.key(1).id: .success(try Self.endpoint())], from: question)
        let isKnown = Self.isKnown(&known, 1, after: .milliseconds(999))
        #expect(isKnown)
    }

    @Test("What has no subscription is remembered too")
    func missing() throws {
        var known = KnownEndpoints()
        known.learn([:], from: try Self.wanted(&known, 1))
        guard case .known(nil) = known.answer(for: Self.key(1), now: Self.begin) else {
            throw TestFailure("it is asked for again")
        }
    }

    @Test("After a second one asks anew while others go on, and after two nobody goes on with what was known")
    func renewal() throws {
        var known = KnownEndpoints()
        try Self.learn(&known, 1...1)
        let question = try Self.wanted(&known, 1, after: .seconds(1))
        let goesOn = Self.isKnown(&known, 1, after: .milliseconds(1999))
        #expect(goesOn)
        #expect(Self.awaited(&known, 1, after: .seconds(2))?.result === question.result)
        let held = known.giveUp(question, now: Self.begin + .milliseconds(1999))
        #expect(held?.keys.elementsEqual([Self.key(1).id]) == true, "it serves where the store cannot be asked")
        let next = try Self.wanted(&known, 1, after: .milliseconds(1999))
        let nothing = known.giveUp(next, now: Self.begin + .seconds(2))
        #expect(nothing == nil)
        _ = try Self.wanted(&known, 1, after: .seconds(2))
    }

    @Test("A question takes those along that are in use and not young, each once")
    func companions() throws {
        var known = KnownEndpoints()
        try Self.learn(&known, 1...4)
        Self.use(&known, 1...3)
        #expect(try Self.wanted(&known, 9, after: .milliseconds(499)).keys == [Self.key(9)])
        let question = try Self.wanted(&known, 1, after: .seconds(1))
        #expect(question.keys == [Self.key(1), Self.key(2), Self.key(3)], "4 is not in use")
        #expect(try Self.wanted(&known, 4, after: .seconds(1)).keys == [Self.key(4)], "the others are asked for")
        #expect(Self.awaited(&known, 2, after: .seconds(2))?.result === question.result)
    }

    @Test("A question has its bound, and the next takes the others along")
    func bound() throws {
        var known = KnownEndpoints()
        let count = UInt64(KnownEndpoints.questionMost) + 10
        try Self.learn(&known, 1...count)
        Self.use(&known, 1...count)
        let first = try Self.wanted(&known, 1, after: .seconds(1))
        #expect(first.keys.count == KnownEndpoints.questionMost)
        let second = try Self.wanted(&known, count, after: .seconds(1))
        #expect(second.keys.count == 10)
        #expect(Set(first.keys + second.keys).count == Int(count))
    }

    @Test("What was to be forgotten while the store was asked is not kept, and the next one asks anew")
    func forgotten() throws {
        var known = KnownEndpoints()
        try Self.learn(&known, 1...2)
        Self.use(&known, 1...2)
        let old = try Self.wanted(&known, 1, after: .seconds(1))
        #expect(old.keys.count == 2)
        known.forget(Self.key(2).id)
        let new = try Self.wanted(&known, 2, after: .seconds(1))
        var found: KnownEndpoints.Found = [:]
        for key in old.keys { found[key.id] = .success(try Self.endpoint()) }
        known.learn(found, from: old)
        let isKnown = Self.isKnown(&known, 1, after: .seconds(1))
        #expect(isKnown, "the other one is kept")
        #expect(Self.awaited(&known, 2, after: .seconds(1))?.result === new.result)
        known.forgetAll()
        known.learn([:], from: new)
        _ = try Self.wanted(&known, 2, after: .seconds(1))
        _ = try Self.wanted(&known, 1, after: .seconds(1))
    }

    @Test("One whose secrets cannot be opened leaves the others known")
    func failed() throws {
        var known = KnownEndpoints()
        try Self.learn(&known, 1...2)
        Self.use(&known, 1...2)
        let question = try Self.wanted(&known, 1, after: .seconds(2))
        known.learn(
            [Self.key(1).id: .failure(TestFailure("sealed")), Self.key(2).id: .success(try Self.endpoint())],
            from: question)
        let isKnown = Self.isKnown(&known, 2, after: .seconds(2))
        #expect(isKnown)
        #expect(try Self.wanted(&known, 1, after: .seconds(2)).keys == [Self.key(1)])
    }
}

@Suite("The directory of endpoints")
struct EndpointDirectoryTests {
    @Test("A thousand calls at once cost one question", arguments: TestEngine.allCases)
    func shared(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, _) = try await hub.subscribe()
            let slow = SlowReads(hub.database)
            let directory = EndpointDirectory(database: slow, secrets: hub.secrets, time: hub.time.source)
            let before = hub.database.statementCount
            slow.holdNextRead()
            try await withThrowingTaskGroup { group in
                for _ in 0..<1000 {
                    group.addTask { try await directory.endpoint(made.id, tenant: Hub.scope.tenant)?.url }
                }
                await slow.reached()
                slow.release()
                for try await url in group { #expect(url == made.url) }
            }
            #expect(hub.database.statementCount - before == 3)
        }
    }

    @Test("A change while the store is asked is seen by the next call", arguments: TestEngine.allCases)
    func changed(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, _) = try await hub.subscribe()
            let slow = SlowReads(hub.database)
            let directory = EndpointDirectory(database: slow, secrets: hub.secrets, time: hub.time.source)
            slow.holdNextRead()
            async let old = directory.endpoint(made.id, tenant: Hub.scope.tenant)
            await slow.reached()
            _ = try await hub.subscriptions.setStatus(.disabled, of: made.id, scope: Hub.scope)
            directory.forget(made.id)
            let new = try await directory.endpoint(made.id, tenant: Hub.scope.tenant)
            slow.release()
            #expect(try await old?.isActive == true && new?.isActive == false)
            #expect(try await directory.endpoint(made.id, tenant: Hub.scope.tenant)?.isActive == false)
        }
    }

    @Test("Where the store cannot be asked, what is known serves for two seconds", arguments: TestEngine.allCases)
    func absent(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, _) = try await hub.subscribe()
            let slow = SlowReads(hub.database)
            let directory = EndpointDirectory(database: slow, secrets: hub.secrets, time: hub.time.source)
            func ask() async throws -> String? {
                slow.holdNextRead()
                async let endpoint = directory.endpoint(made.id, tenant: Hub.scope.tenant)
                await slow.reached()
                slow.release(failing: StorageError(.unavailable, "as the test says"))
                return try await endpoint?.url
            }
            #expect(try await directory.endpoint(made.id, tenant: Hub.scope.tenant)?.url == made.url)
            hub.time.advance(by: .milliseconds(1500))
            #expect(try await ask() == made.url)
            hub.time.advance(by: .milliseconds(500))
            await #expect(throws: StorageError.self) { _ = try await ask() }
        }
    }

    @Test("Each endpoint of a question has its own secrets and settings", arguments: TestEngine.allCases)
    func together(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (first, firstSecret) = try await hub.subscribe("https://one.example.com/in")
            let (second, secondSecret) = try await hub.subscribe("https://two.example.com/in", scope: Hub.stranger)
            func endpoint(_ made: Subscription) async throws -> Endpoint {
                let found = try await hub.directory.endpoint(made.id, tenant: made.scope.tenant)
                return try #require(found)
            }
            for made in [first, second, first, second] { _ = try await endpoint(made) }
            // Both are in use now, and the first to be asked for takes the other along.
            hub.time.advance(by: .seconds(1))
            let before = hub.database.statementCount
            let one = try await endpoint(first)
            let two = try await endpoint(second)
            #expect(hub.database.statementCount - before == 3)
            #expect([one.url, two.url] == [first.url, second.url])
            try await hub.publish()
            try await hub.publish(scope: Hub.stranger)
            try await hub.deliveries(2, where: "state = 'delivered'")
            for (made, secret) in [(first, firstSecret), (second, secondSecret)] {
                let request = try #require(hub.exchange.requests.elements.first { $0.url == made.url })
                _ = try SignatureCatalog.standardV1.verify(
                    body: request.body, headers: request.headers, keys: [try #require(SigningKey(secret))],
                    now: hub.time.now)
            }
        }
    }
}
