import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Which batches a group commit makes")
struct GroupCommitterTests {
    @Test("Further commits begin for full batches alone, and end when there are none")
    func fullCommits() async throws {
        try await SteppedStore.with { store in
            let held = HeldDatabase(store.database)
            let (batches, answers) = (Recorder<Int>(), Recorder<Int>())
            let committer = GroupCommitter<Int, Int>(
                database: held, lane: .background, batchLimit: 4, waitingLimit: 100, fullCommitsMost: 3
            ) { _, items in
                batches.record(items.count)
                return .init(items)
            }
            func submit(_ numbers: Range<Int>) {
                for number in numbers {
                    committer.submit(number) { if case .success(let own) = $0 { answers.record(own) } }
                }
            }
            for (count, commits) in [(1, 1), (7, 1), (8, 2), (11, 2), (12, 3), (14, 3)] {
                submit(answers.elements.count + committer.waitingCount..<count)
                #expect(held.count == commits, "\(count) items")
            }
            held.commit()
            #expect(batches.elements == [4, 4, 4] && answers.elements == Array(0..<12))
            #expect(held.count == 1, "the two that are left are one commit")
            submit(14..<18)
            #expect(held.count == 1)
            held.commit()
            #expect(batches.elements == [4, 4, 4, 4])
            held.commit()
            #expect(batches.elements == [4, 4, 4, 4, 2] && held.count == 0)
            submit(18..<19)
            #expect(held.count == 1)
            held.commit()
            #expect(answers.elements == Array(0..<19))
        }
    }

    @Test("Items that weigh more leave room for fewer")
    func weights() async throws {
        try await SteppedStore.with { store in
            let (held, batches) = (HeldDatabase(store.database), Recorder<[Int]>())
            let committer = GroupCommitter<Int, Int>(
                database: held, lane: .background, batchLimit: 4, waitingLimit: 100, weigh: { $0 }
            ) { _, items in
                batches.record(items)
                return .init(items)
            }
            for item in [1, 2, 3, 9, 1, 1] { committer.submit(item) { _ in } }
            while held.count > 0 { held.commit() }
            #expect(batches.elements == [[1, 2, 3], [9], [1, 1]])
        }
    }

    @Test("What a commit has to tell is told once it is on disk, before its callers hear of it")
    func announcing() async throws {
        try await SteppedStore.with { store in
            let held = HeldDatabase(store.database)
            let (told, tell) = AsyncStream.makeStream(of: String.self)
            let committer = GroupCommitter<Int, Int>(
                database: held, lane: .background, batchLimit: 4, waitingLimit: 100
            ) { _, items in
                if items == [13] { throw StorageError(.unavailable, "unlucky") }
                return .init(items, announce: { tell.yield("announced \(items)") })
            }
            for item in [1, 2] { committer.submit(item) { _ in tell.yield("answered \(item)") } }
            held.commit()
            var seen: [String] = []
            for await sentence in told {
                seen.append(sentence)
                if seen.count == 3 { break }
            }
            #expect(seen == ["announced [1, 2]", "answered 1", "answered 2"])

            let refused = Recorder<Int>()
            committer.submit(13) { if case .failure = $0 { refused.record(13) } }
            held.commit()
            #expect(refused.elements == [13], "nothing is announced of what was not written")
        }
    }
}

/// Runs nothing before it is told to; then all of it, and answers afterwards, as an engine's one writer does.
private final class HeldDatabase: Database {
    private let inner: any Database
    private let works = Mutex<[Work]>([])

    init(_ inner: any Database) { self.inner = inner }

    var count: Int { works.withLock(\.count) }

    func commit() {
        let all = works.withLock { works in
            defer { works = [] }
            return works
        }
        let errors = Recorder<(any Error)?>()
        for work in all {
            inner.enqueue(
                Work(lane: work.lane, isWrite: work.isWrite, body: work.body, completion: { errors.record($0) }))
        }
        for (work, error) in zip(all, errors.elements) { work.completion(error) }
    }

    func enqueue(_ work: Work) { works.withLock { $0.append(work) } }

    var dialect: Dialect { inner.dialect }
    var statementCount: Int { inner.statementCount }
    func report() async throws -> EngineReport { try await inner.report() }
    func shutdown() async { await inner.shutdown() }
}
